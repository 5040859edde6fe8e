#!/bin/bash
# build.sh OUT, in the tree of a Lua in Go: only its tests are of interest.
set -euo pipefail
cp -a _lua5.1-tests "$1/"
