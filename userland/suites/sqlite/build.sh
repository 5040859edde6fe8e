#!/bin/bash
# build.sh OUT, in SQLite's tree, which makes its C files by the host's tclsh.
set -euo pipefail
. "$(dirname "$0")/../common.sh"

configure --disable-tcl --disable-shared --disable-readline --disable-load-extension
build sqlite3.lo
build fuzzcheck threadtest3 speedtest1
# The makefile hands libtool an -rpath. mptest wants to load extensions, at least
# to link.
wasmlinux-cc -O2 -I. mptest/mptest.c sqlite3.c -o mptester
cp fuzzcheck threadtest3 mptester speedtest1 "$out/"
mkdir "$out/data" "$out/mptest" "$out/speedtest"
cp test/fuzzdata*.db "$out/data/"
cp mptest/*test "$out/mptest/"

# What speedtest1 calculates is compared with what it does here.
gcc -O1 -I. test/speedtest1.c sqlite3.c -o speedtest1-here -lm -lpthread -ldl
for set in main cte fp orm; do
	./speedtest1-here --size 10 --verify --testset "$set" | sed -n '/Verification/p' \
		>"$out/speedtest/$set"
done
