#!/bin/bash
# build.sh OUT, in XZ Utils's tree.
set -euo pipefail
. "$(dirname "$0")/../common.sh"

configure --disable-nls --disable-shared --disable-doc
build
build -C tests check TESTS=
keep_tree
