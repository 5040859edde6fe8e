#!/bin/bash
# build.sh SYSROOT OUT [TEST...]
#
# Compiles each guest test (or those named) to OUT/NAME.wasm. CC is wasmlinux-cc;
# JOBS can be set too.
set -euo pipefail

[ $# -ge 2 ] || { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
WASMLINUX_SYSROOT=$(cd "$1" && pwd)
mkdir -p "$2" && out=$(cd "$2" && pwd)
shift 2
export WASMLINUX_SYSROOT CC=${CC:-wasmlinux-cc} here out

if [ $# = 0 ]; then
	for f in "$here"/*.c; do set -- "$@" "$(basename "$f" .c)"; done
fi
# -O1: the optimiser must not see that a test provokes undefined behaviour.
printf '%s\n' "$@" | xargs -P "${JOBS:-2}" -I{} sh -c \
	'exec "$CC" -O1 -std=gnu11 -Wall -Wextra -Wno-unused-result -Wno-infinite-recursion -Werror \
		-fno-strict-aliasing -Wl,--fatal-warnings "$here/{}.c" -o "$out/{}.wasm"'
