#!/bin/bash
# build.sh SRC OUT [UAPI]
#
# Builds the sysroot OUT from SRC, a pristine musl tree, which is left as it is.
# UAPI is an `include` folder of kernel headers (make headers_install). CC is
# wasmlinux-cc; AR, RANLIB and JOBS can be set too.
set -euo pipefail

[ $# -ge 2 ] || { sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
src=$(cd "$1" && pwd)
mkdir -p "$2" && out=$(cd "$2" && pwd)
uapi=${3:+$(cd "$3" && pwd)}
export CC=${CC:-wasmlinux-cc} AR=${AR:-llvm-ar-19} RANLIB=${RANLIB:-llvm-ranlib-19}
clang=${WASMLINUX_CLANG:-clang-19}

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
cp -a "$src/." "$tree"
for p in "$here"/patches/*.patch; do
	patch -d "$tree" -p1 --fuzz=0 --silent <"$p"
done

# wasm32 is the ABI of riscv32, the other architecture that never had 32-bit
# time; the overlay holds what differs.
mkdir -p "$tree/arch/wasm32"
cp -r "$tree/arch/riscv32/bits" "$tree/arch/wasm32/"
sed -i /riscv/d "$tree/arch/wasm32/bits/syscall.h.in"
cp -r "$here/overlay/." "$tree"

cd "$tree"
./configure --target=wasm32-linux-musl --prefix=/ --disable-shared \
	CFLAGS="-O2 -fno-math-errno" >configure.log || { cat configure.log >&2; exit 1; }
make -j"${JOBS:-2}" lib/libc.a lib/crt1.o lib/main_envp.o >make.log 2>&1 || { tail -40 make.log >&2; exit 1; }
# libm, libpthread, ...: all of it is in libc.a
# shellcheck disable=SC2046
make $(sed -n 's/^EMPTY_LIB_NAMES = //p' Makefile | sed -E 's,[a-z]+,lib/lib&.a,g') >>make.log
make DESTDIR="$out" install-headers >>make.log
mkdir -p "$out/lib"
cp lib/*.a lib/crt1.o lib/main_envp.o "$out/lib/"
cp "$("$clang" -print-resource-dir)/lib/wasi/libclang_rt.builtins-wasm32.a" "$out/lib/"

# The kernel's own headers; where both have one (scsi/), the libc's stays.
[ -z "$uapi" ] || cp -rn "$uapi/." "$out/include/"
