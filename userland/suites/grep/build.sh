#!/bin/bash
# build.sh OUT, in GNU grep's tree.
set -euo pipefail
. "$(dirname "$0")/../common.sh"

# Would be tried by running a program.
export sv_cv_stack_direction=-1 sv_cv_stack_direction_msg='grows down'
configure --disable-nls
build -C lib
build -C src
build -C tests check-am TESTS=
keep_tree
