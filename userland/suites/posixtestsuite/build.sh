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
export LC_ALL=C

# As its makefiles and its file LDFLAGS say, but without warnings, which are those
# of 2005's code. Some tests of functions forget headers that glibc's include.
export FLAGS="-std=gnu99 -O2 -w -Iinclude"
export CONFORMANCE="-D_POSIX_C_SOURCE=200112L -D_XOPEN_SOURCE=600"
export HEADERS="-include stdlib.h -include string.h -include unistd.h -include fcntl.h
	-include signal.h -include sys/resource.h"

# Those of aio ask for the very edition of 2001, where libc has that of 2008.
cat >edition.h <<-'END'
	#include <unistd.h>
	#undef _POSIX_ASYNCHRONOUS_IO
	#define _POSIX_ASYNCHRONOUS_IO 200112L
END

# FILE.c to objects/FILE.o and the form of its main, if it is a program, or to
# objects/FILE.error.
compile() {
	local at=objects/$1 FLAGS=$FLAGS main
	mkdir -p "${at%/*}"
	[[ $1 != conformance/* ]] || FLAGS="$FLAGS $CONFORMANCE"
	! grep -q '_POSIX_ASYNCHRONOUS_IO != 200112L' "$1.c" || FLAGS="$FLAGS -include edition.h"
	# shellcheck disable=SC2086 # lists of words
	if wasmlinux-cc $FLAGS -S -emit-llvm "$1.c" -o "$at.ll" 2>"$at.error" ||
		{ [[ $1 != conformance/definitions/* ]] &&
			wasmlinux-cc $FLAGS $HEADERS -S -emit-llvm "$1.c" -o "$at.ll" 2>"$at.error"; }; then
		rm "$at.error"
	else
		return 0
	fi
	main=$(grep -o '^define .*@\(main\|__main_argc_argv\)(' "$at.ll") || return 0
	main=${main##*@} main=${main%(}
	sed -e 's/^define hidden /define internal /' -e 's/^\(@[^ ]* =\) hidden /\1 internal /' \
		-e "s/^define internal \(.*@$main(\)/define hidden \1/" \
		-e "s/@$main\b/@test_${1//[^a-zA-Z0-9]/_}/" "$at.ll" >"$at.named.ll"
	wasmlinux-cc -O2 -c -x ir "$at.named.ll" -o "$at.o"
	echo "$main" >"$at.main"
}
export -f compile

# Left out is one that makes threads by the hundred until it cannot, 40 times for
# each number of them: hours with 5,000 threads.
{
	find conformance -name '[0-9]*-*.c'
	find functional/{mqueues,semaphores,timers} stress -name '*.c' ! -name testfrmw.c \
		! -name threads_scenarii.c ! -name helper.c ! -path '*/pthread_cond_timedwait/s-c.c'
} | sed 's/\.c$//' | sort >files
xargs -P "${JOBS:-2}" -I{} bash -euo pipefail -c 'compile {}' <files

# What calls functions that libc has not; the engine has some.
llvm-nm-19 --defined-only -j "$WASMLINUX_SYSROOT"/lib/*.a 2>/dev/null | sort -u >defined
find objects -name '*.o' -print0 | xargs -0 llvm-nm-19 -u -A |
	sed -n 's/\.o: *U \([^_].*\|_[^_].*\|__[^_]*\)$/ \1/p' |
	awk 'NR == FNR { defined[$1] = 1; next } !($2 in defined) && $2 !~ /^__/ { print }' defined - |
	while read -r at function; do
		echo "error: libc has no $function" >>"$at.error"
	done

while read -r file; do
	at=objects/$file main=
	# Names as short as they can be: those of interfaces have no folder before
	# them. A folder is a unit.
	name=${file#conformance/} name=${name#interfaces/}
	unit=${name%/*} unit=${unit%/speculative} unit=${unit//\//-}
	[[ $unit != definitions-* ]] || unit=definitions
	if [ -e "$at.error" ]; then
		echo "$unit $name error $(sed -n 's/.*error: //p;T;q' "$at.error")"
		continue
	elif ! [ -e "$at.main" ]; then
		echo "$unit $name compiled"
		continue
	fi
	read -r main <"$at.main"
	symbol=test_${file//[^a-zA-Z0-9]/_}
	case $main in
	main) prototype=void call= ;;
	*) prototype="int, char **" call="c, v" ;;
	esac
	echo "int $symbol($prototype);" >&3
	echo "	if (!strcmp(v[0], \"$name\")) return $symbol($call);" >&4
	echo "$at.o" >&5
	# What upstream's scripts hand to a program.
	how=run arguments=
	case $name in
	*buildonly*) continue ;;
	stress/mqueues/multi_send_rev_1 | functional/semaphores/sem_lock) arguments=10 ;;
	stress/mqueues/multi_send_rev_2 | stress/semaphores/multi_con_pro) arguments=100 ;;
	# These go on until SIGUSR1.
	stress/*/stress*) how=stress ;;
	esac
	echo "$unit $name $how $name $arguments"
done <files >"$out/list" 3>prototypes 4>calls 5>programs

# Scripts that call one with a number; the others only say what tests their case.
grep -r '^conformance/interfaces/[^ ]*\.test [0-9]' conformance --include='*.sh' | sort |
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
