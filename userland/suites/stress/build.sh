#!/bin/bash
# build.sh OUT, in stress's tree. It is one file, and upstream's archive has no
# configure script yet: this is what one would find.
set -euo pipefail
out=$(cd "$1" && pwd)

touch config.h
mkdir "$out/src" "$out/test"
wasmlinux-cc -O2 -I. -DPACKAGE='"stress"' -DVERSION='"1.0.7"' -DHAVE_SYS_PRCTL_H=1 \
	src/stress.c -o "$out/src/stress"
cp test/check_* "$out/test/"
