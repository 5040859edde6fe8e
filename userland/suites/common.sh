# Sourced by the suites' build scripts, which run in an upstream tree.

# Upstream's configure, for the guest. Its makefiles name the guest's shell.
configure() {
	CONFIG_SITE=$suites/config.site CONFIG_SHELL=/bin/sh ./configure SHELL=/bin/sh \
		--host=wasm32-linux-musl CC="${CC:-wasmlinux-cc}" AR=llvm-ar-19 \
		RANLIB=llvm-ranlib-19 NM=llvm-nm-19 STRIP=: --disable-dependency-tracking "$@"
}

build() {
	make -j"${JOBS:-2}" "$@"
}

# The built tree as the guest's /suite/tree. What only a build reads is emptied,
# not removed: makefiles want to see that it is there.
keep_tree() {
	cp -a . "$out/tree"
	rm -rf "$out/tree/gnulib-tests" "$out/tree/po" "$out/tree/.git"
	mkdir "$out/tree/gnulib-tests" "$out/tree/po"
	find "$out/tree" -type f \( -name '*.o' -o -name '*.a' -o -name '*.lo' -o -name '*.m4' \
		-o -name '*.info*' -o -name '*.texi' -o -name 'ChangeLog*' -o -name configure \
		-o -path '*/doc/*' \) -exec truncate -s 0 {} +
}

suites=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=$(cd "$1" && pwd)
