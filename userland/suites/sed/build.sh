#!/bin/bash
# build.sh OUT, in GNU sed's tree.
set -euo pipefail
. "$(dirname "$0")/../common.sh"

configure --disable-nls
build SUBDIRS=. all
build SUBDIRS=. check-am TESTS=
keep_tree
install -D sed/sed "$out/bin/sed"
