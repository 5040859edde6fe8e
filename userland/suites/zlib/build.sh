#!/bin/bash
# build.sh OUT, in zlib's tree.
set -euo pipefail
. "$(dirname "$0")/../common.sh"

CC=${CC:-wasmlinux-cc} AR=llvm-ar-19 RANLIB=llvm-ranlib-19 CHOST=wasm32-linux-musl ./configure --static
build static all64 infcover
keep_tree
