#!/bin/bash
# build.sh OUT, in Lua's tree.
set -euo pipefail
. "$(dirname "$0")/../common.sh"

build -C src CC="${CC:-wasmlinux-cc}" AR='llvm-ar-19 rcu' RANLIB=llvm-ranlib-19 MYCFLAGS=-DLUA_USE_POSIX lua
install -D src/lua "$out/bin/lua"
