#!/bin/bash
# build.sh OUT, in libuv's tree: its test runner. Upstream's archive has no
# configure script yet: this is what its CMakeLists.txt would take on Linux.
set -euo pipefail
. "$(dirname "$0")/../common.sh"

linux=(async core dl fs getaddrinfo getnameinfo linux loop loop-watcher pipe poll process
	procfs-exepath proctitle random-devurandom random-getrandom random-sysctl-linux
	signal stream tcp thread tty udp)
mkdir -p objects/src/unix objects/test
{
	ls src/*.c
	printf 'src/unix/%s.c\n' "${linux[@]}"
	find test -name '*.c' ! -name 'benchmark-*' ! -name run-benchmarks.c ! -name '*-win*.c'
} | xargs -P "${JOBS:-2}" -I{} wasmlinux-cc -O2 -Iinclude -Isrc -D_GNU_SOURCE \
	-D_POSIX_C_SOURCE=200112 -D_FILE_OFFSET_BITS=64 -c {} -o objects/{}.o
# Some tests have some of its sources in themselves.
llvm-ar-19 rcs libuv.a objects/src/*.o objects/src/unix/*.o
wasmlinux-cc -O2 objects/test/*.o libuv.a -o "$out/uv_run_tests"
mkdir "$out/test"
cp -r test/fixtures "$out/test/"
