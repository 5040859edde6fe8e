#!/bin/bash
# build.sh OUT, in GNU make's tree.
set -euo pipefail
. "$(dirname "$0")/../common.sh"

# Debian leaves the manual out, for its licence; configure wants its makefile.
mkdir -p doc && : >doc/Makefile.in
configure --disable-nls --disable-load --without-guile
build -C lib
build make
install -D make "$out/bin/make"
