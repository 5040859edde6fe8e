#!/bin/bash
# build.sh SYSROOT OUT [FILE...]
#
# Compiles each guest test in C, or the files named, to OUT/NAME.wasm. CC is
# wasmlinux-cc, CXX wasmlinux-c++; JOBS can be set too. Sources are named
# relatively, so that a module says nothing of where it was built.
set -euo pipefail

[ $# -ge 2 ] || { sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
WASMLINUX_SYSROOT=$(cd "$1" && pwd)
mkdir -p "$2" && out=$(cd "$2" && pwd)
shift 2
export WASMLINUX_SYSROOT CC=${CC:-wasmlinux-cc} CXX=${CXX:-wasmlinux-c++} out
cd "$here"

if [ $# = 0 ]; then
	set -- *.c
fi
# -O1: the optimiser must not see that a test provokes undefined behaviour.
compile() {
	local compiler=("$CC" -std=gnu11)
	[ "${1##*.}" = c ] || compiler=("$CXX" -std=c++20)
	"${compiler[@]}" -O1 -Wall -Wextra -Wno-unused-result -Wno-infinite-recursion -Werror \
		-fno-strict-aliasing -Wl,--fatal-warnings "$1" -o "$out/${1%.*}.wasm"
}
export -f compile
printf '%s\n' "$@" | xargs -P "${JOBS:-2}" -I{} bash -euc 'compile "{}"'
