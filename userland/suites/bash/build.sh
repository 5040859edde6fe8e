#!/bin/bash
# build.sh OUT, in GNU bash's tree.
set -euo pipefail
. "$(dirname "$0")/../common.sh"

configure --disable-nls --without-bash-malloc
build bash
build recho zecho printenv xcase
keep_tree
install -D bash "$out/bin/bash"
