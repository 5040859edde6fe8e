#!/bin/bash
# build.sh OUT, in GNU gzip's tree.
set -euo pipefail
. "$(dirname "$0")/../common.sh"

configure
build SUBDIRS=lib all-recursive
build SUBDIRS=. all-am
keep_tree
