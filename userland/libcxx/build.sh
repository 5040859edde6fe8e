#!/bin/bash
# build.sh SRC SYSROOT OUT
#
# Builds libc++, libc++abi and libunwind from SRC, a pristine LLVM tree, against
# the musl in SYSROOT: OUT/include/c++/v1 and OUT/lib. CXX is wasmlinux-c++; AR
# and JOBS can be set too.
set -euo pipefail

[ $# -ge 3 ] || { sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
src=$(cd "$1" && pwd)
WASMLINUX_SYSROOT=$(cd "$2" && pwd)
mkdir -p "$3" && out=$(cd "$3" && pwd)
export WASMLINUX_SYSROOT WASMLINUX_SYSROOT_CXX=$out CXX=${CXX:-wasmlinux-c++}
ar=${AR:-llvm-ar-19}

objects=$(mktemp -d)
trap 'rm -rf "$objects"' EXIT

include=$out/include/c++/v1
mkdir -p "$include" "$out/lib"
cp -r "$src/libcxx/include/." "$include/"
rm "$include/CMakeLists.txt" "$include"/*.in
cp "$here/__config_site" "$include/"
cp "$src/libcxx/vendor/llvm/default_assertion_handler.in" "$include/__assertion_handler"
cp "$src/libcxxabi/include/"*.h "$include/"

# What upstream's cmake lists for these options. Not: new.cpp (libc++abi has
# it), the time zone database, other systems.
cxx=$(cd "$src/libcxx/src" && ls ./*.cpp filesystem/*.cpp ryu/*.cpp | grep -vx './new.cpp')
abi=$(cd "$src/libcxxabi/src" && ls ./*.cpp | grep -vx './cxa_noexception.cpp')

# library source, a line each
list() {
	printf 'c++ %s\n' $cxx
	printf 'c++abi %s\n' $abi
}

common=(-O2 -fvisibility=hidden -fvisibility-inlines-hidden -DNDEBUG)
export src objects COMMON="${common[*]}"
compile() {
	local flags
	case $1 in
	c++) flags="-D_LIBCPP_BUILDING_LIBRARY -DLIBCXX_BUILDING_LIBCXXABI" ;;
	c++abi) flags="-D_LIBCXXABI_BUILDING_LIBRARY -D_LIBCPP_BUILDING_LIBRARY -D_LIBCPP_ENABLE_CXX17_REMOVED_UNEXPECTED_FUNCTIONS" ;;
	esac
	# Assertions name files, but not where they were unpacked.
	# shellcheck disable=SC2086
	"$CXX" "-ffile-prefix-map=$src/=" -std=c++23 $COMMON $flags -I"$src/libcxx/src" -I"$src/libcxxabi/include" \
		-I"$src/libunwind/include" -c "$src/lib${1/c++/cxx}/src/$2" -o "$objects/$1-$(basename "$2").o"
}
export -f compile
list | xargs -P "${JOBS:-2}" -L1 bash -c 'compile "$0" "$1"'

# Compiled as C++'s C: it throws.
"${CC:-wasmlinux-cc}" "-ffile-prefix-map=$src/=" "${common[@]}" -fwasm-exceptions -fexceptions -D_LIBUNWIND_HIDE_SYMBOLS -I"$src/libunwind/include" \
	-c "$src/libunwind/src/Unwind-wasm.c" -o "$objects/unwind.o"
"$CXX" "${common[@]}" -c "$here/guard.cpp" -o "$objects/guard.o"

"$ar" rcsD "$out/lib/libc++.a" "$objects"/c++-*.o
"$ar" rcsD "$out/lib/libc++abi.a" "$objects"/c++abi-*.o "$objects/guard.o"
"$ar" rcsD "$out/lib/libunwind.a" "$objects/unwind.o"
