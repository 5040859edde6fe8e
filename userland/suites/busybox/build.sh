#!/bin/bash
# build.sh OUT, in BusyBox's tree: the tests as they are, and the three small
# programs that the shell's tests call. What is tested is the guest's BusyBox.
set -euo pipefail
out=$1

cp -a testsuite "$out/testsuite"
mkdir "$out/shell"
cp -a shell/ash_test "$out/shell/"
for program in printenv recho zecho; do
	wasmlinux-cc -O1 -w "shell/ash_test/$program.c" -o "$out/shell/ash_test/$program"
done
# Not tests: how they are run natively.
rm -f "$out/testsuite/umlwrapper.sh"
