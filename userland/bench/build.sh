#!/bin/bash
# build.sh NATIVE OUT
#
# Each program of benchmarks for the host (OUT/NAME), by NATIVE/cc, and for the
# guest (OUT/NAME.wasm), by CC, which is wasmlinux-cc.
set -euo pipefail

[ $# = 2 ] || { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$2"
for name in calls applets; do
	flags=(-O2 -std=gnu11 -Wall -Wextra -Wno-unused-result -Werror "$here/$name.c" -o)
	"$1/cc" -static "${flags[@]}" "$2/$name"
	"${CC:-wasmlinux-cc}" "${flags[@]}" "$2/$name.wasm"
done
