#!/bin/bash
# build.sh OUT, in GNU gzip's tree.
set -euo pipefail
. "$(dirname "$0")/../common.sh"

configure
# Without doc, which wants makeinfo.
build SUBDIRS='lib .' all
keep_tree
