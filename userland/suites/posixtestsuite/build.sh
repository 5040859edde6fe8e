#!/bin/bash
# build.sh OUT, in the Open POSIX Test Suite's tree: all of its 1,700 programs in
# one, which goes by its first argument. Each has a libc of its own otherwise, to
# be translated and compiled 1,700 times. To make one of them, a test is compiled
# to LLVM's language, where its main gets another name and all else is internal.
#
# OUT/list has a line for each case: its unit, its name, what is to be done, and
# how the program is called: `run NAME ARG`, `stress NAME`, `compiled`, or `error`
# with what the compiler says.
set -euo pipefail
. "$(dirname "$0")/../common.sh"

# As its Makefile and its file LDFLAGS say, but without warnings, which are those
# of 2005's code. Some tests of functions forget headers that glibc's include.
export FLAGS="-std=gnu99 -O2 -w -D_POSIX_C_SOURCE=200112L -D_XOPEN_SOURCE=600 -Iinclude"
export HEADERS="-include stdlib.h -include string.h -include unistd.h -include fcntl.h
	-include signal.h -include sys/resource.h"

# Those of aio ask for the very edition of 2001, where libc has that of 2008.
cat >edition.h <<-'END'
	#include <unistd.h>
	#undef _POSIX_ASYNCHRONOUS_IO
	#define _POSIX_ASYNCHRONOUS_IO 200112L
END

symbol() {
	echo "test_${1//[^a-zA-Z0-9]/_}"
}

# FILE.c to objects/FILE.o, if it is a program, or to objects/FILE.error.
compile() {
	local at=objects/$1 FLAGS=$FLAGS
	mkdir -p "${at%/*}"
	! grep -q '_POSIX_ASYNCHRONOUS_IO != 200112L' "$1.c" || FLAGS="$FLAGS -include edition.h"
	# shellcheck disable=SC2086 # lists of words
	if wasmlinux-cc $FLAGS -S -emit-llvm "$1.c" -o "$at.ll" 2>"$at.error" ||
		{ [[ $1 != conformance/definitions/* ]] &&
			wasmlinux-cc $FLAGS $HEADERS -S -emit-llvm "$1.c" -o "$at.ll" 2>"$at.error"; }; then
		rm "$at.error"
	else
		return 0
	fi
	grep -q '^define .*@\(main\|__main_argc_argv\)(' "$at.ll" || return 0
	opt-19 -S -passes=internalize -internalize-public-api-list=main,__main_argc_argv "$at.ll" |
		sed "s/@\(main\|__main_argc_argv\)\b/@$(symbol "$1")/" >"$at.named.ll"
	wasmlinux-cc -O2 -c -x ir "$at.named.ll" -o "$at.o"
}
export -f compile symbol

{
	find conformance -name '[0-9]*-*.c'
	find functional/{mqueues,semaphores,timers} stress -name '*.c' ! -name testfrmw.c \
		! -name threads_scenarii.c ! -name helper.c
} | sed 's/\.c$//' | LC_ALL=C sort >files
xargs -P "${JOBS:-2}" -I{} bash -euo pipefail -c 'compile {}' <files

# What calls functions that libc has not.
llvm-nm-19 --defined-only -j "$WASMLINUX_SYSROOT"/lib/*.a 2>/dev/null |
	LC_ALL=C sort -u >defined
find objects -name '*.o' | while read -r object; do
	missing=$(llvm-nm-19 -u -j "$object" | LC_ALL=C sort | LC_ALL=C comm -23 - defined |
		grep -v -e '^__linux_' -e '^__stack_pointer$' -e '^__linear_memory$' -e '^__indirect_function_table$' || true)
	[ -z "$missing" ] || echo "error: undefined:" $missing >"${object%.o}.error"
done

# Names as short as they can be: those of interfaces have no folder before them.
name() {
	local name=${1#conformance/}
	echo "${name#interfaces/}"
}

# A folder is a unit.
unit() {
	local unit
	unit=$(name "${1%/*}")
	case $unit in
	definitions/*) echo definitions ;;
	*/speculative) echo "${unit%/*}" ;;
	*) echo "${unit//\//-}" ;;
	esac
}

# What upstream's scripts hand to a program.
arguments() {
	case $1 in
	stress/mqueues/multi_send_rev_1 | functional/semaphores/sem_lock) echo 10 ;;
	stress/mqueues/multi_send_rev_2 | stress/semaphores/multi_con_pro) echo 100 ;;
	esac
}

while read -r file; do
	at=objects/$file case="$(unit "$file") $(name "$file")"
	if [ -e "$at.error" ]; then
		echo "$case error $(grep -m1 -o "error: .*" "$at.error" | cut -d " " -f 2-)"
	elif ! [ -e "$at.o" ]; then
		echo "$case compiled"
	else
		symbol=$(symbol "$file") name=$(name "$file")
		prototype="int, char **" call="c, v"
		! grep -q "^define .* i32 @$symbol()" "$at.named.ll" || prototype=void call=
		echo "$at.o" >&5
		echo "int $symbol($prototype);" >&3
		echo "	if (!strcmp(v[0], \"$name\")) return $symbol($call);" >&4
		how=run
		# These go on until SIGUSR1.
		how=run
		[[ $file != stress/*/stress* ]] || how=stress
		[[ $name == *buildonly* ]] || echo "$case $how $name $(arguments "$file")"
	fi
done <files >"$out/list" 3>prototypes 4>calls 5>programs

# Scripts that call one with a number; the others only say what tests their case.
grep -r '^conformance/interfaces/[^ ]*\.test [0-9]' conformance --include='*.sh' | LC_ALL=C sort |
	sed 's,^conformance/interfaces/\([^/]*\)\(/[^.]*\)\.sh:conformance/interfaces/\([^.]*\)\.test \([0-9]\).*,\1 \1\2 run \3 \4,' \
		>>"$out/list"

# What a test reads by its name from upstream's top folder.
cp --parents conformance/interfaces/mlockall/3-7.c "$out/"

cat >tests.c <<-END
	#include <stdio.h>
	#include <string.h>
	$(cat prototypes)
	int main(int c, char **v) {
		c--, v++;
	$(cat calls)
		return fprintf(stderr, "there is no test %s\n", v[0]), 99;
	}
END
xargs llvm-ar-19 qcS tests.a <programs
llvm-ranlib-19 tests.a
wasmlinux-cc -O1 tests.c tests.a -o "$out/tests"
