#!/bin/bash
# build.sh OUT, in GNU bash's tree.
set -euo pipefail
. "$(dirname "$0")/../common.sh"

# Would be tried by running a program; the guesses are those of systems long gone.
export bash_cv_wexitstatus_offset=8 bash_cv_sys_named_pipes=present \
	bash_cv_unusable_rtsigs=no bash_cv_wcontinued_broken=no bash_cv_getcwd_malloc=yes \
	bash_cv_printf_a_format=yes
# Its termcap library calls write() undeclared, which C99 forbids.
export CFLAGS='-g -O2 -Wno-error=implicit-function-declaration'
configure --disable-nls --without-bash-malloc
build bash
build recho zecho printenv xcase CC_FOR_BUILD=wasmlinux-cc
keep_tree
install -D bash "$out/bin/bash"
