#!/bin/bash
# build.sh OUT, in GNU grep's tree.
set -euo pipefail
. "$(dirname "$0")/../common.sh"

configure --disable-nls
build -C lib
build -C src
build -C tests check-am TESTS=
keep_tree
