#!/bin/bash
# build.sh OUT, in GNU findutils's tree.
set -euo pipefail
. "$(dirname "$0")/../common.sh"

configure --disable-nls
# Without doc, which wants makeinfo.
for part in gl lib find xargs locate; do build -C "$part"; done
# One test expects glibc's error(), which gnulib has, too.
build SUBDIRS=. check-am TESTS= CPPFLAGS=-Igl/lib LDADD=gl/lib/libgnulib.a
keep_tree
