# Sourced by the run scripts of suites with Automake's test driver: `make
# check-TESTS` in the built tree, by GNU make.
#
# $folder is the folder whose Makefile has the tests, below /suite/tree.
export MAKEFLAGS=--no-print-directory
here=/suite/tree/$folder
mk() {
	make -C "$here" "$@" abs_builddir="$here" abs_srcdir="$here" \
		abs_top_builddir=/suite/tree abs_top_srcdir=/suite/tree
}

# Prints the words of a make variable, a line each.
words() {
	cp "$here/Makefile" /tmp/Makefile.words
	printf 'print-words:\n\t@printf "%%s\\n" $(%s)\n' "$1" >>/tmp/Makefile.words
	make -C "$here" -f /tmp/Makefile.words print-words
}

# Runs one test. The driver prints its verdict, then its log if it fails; why it
# was skipped is only in the log.
check() {
	mk check-TESTS TESTS="$1" VERBOSE=1 >/tmp/check.out
	log=$here/$1.log
	[ -e "$log" ] || log=$here/${1%.*}.log
	why=$(sed -n -e 's/.*skipped test: *//p' -e 's/^[^:]*: *\(.*\)[,;] skipping.*/\1/p' "$log")
	why=${why%%
*}
	awk -v why="$why" '
		/^=====|^\.\. contents/ { detail = "| " }
		{ sub(/^ERROR: /, "FAIL: ") }
		/^SKIP: / && why != "" { $0 = $0 " (" why ")" }
		{ print detail $0 }' /tmp/check.out
}
