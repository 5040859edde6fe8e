#!/bin/bash
# build.sh OUT, in GNU awk's tree.
set -euo pipefail
. "$(dirname "$0")/../common.sh"

# Extensions are shared libraries; pma wants its heap mapped at a fixed address.
configure --disable-nls --disable-extensions --disable-pma
build -C support
build gawk
mkdir "$out/bin"
cp gawk "$out/bin/"
ln -s gawk "$out/bin/awk"
keep_tree
