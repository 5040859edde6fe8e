#!/bin/bash
# build.sh OUT, in GNU findutils's tree.
set -euo pipefail
. "$(dirname "$0")/../common.sh"

configure --disable-nls
build -C gl
build -C lib
build -C find
build -C xargs
keep_tree
