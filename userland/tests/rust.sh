#!/bin/bash
# rust.sh WORK OUT FILE...
#
# Compiles guest tests in Rust to OUT/NAME.wasm: programs without std, with
# core and alloc, linked with our libc by wasmlinux-cc. RUSTC is a compiler that
# has its library's sources beside it (rustup's rust-src, Debian's rust-src or
# rust-web-src). The sysroot is found as wasmlinux-cc finds it.
set -euo pipefail

[ $# -ge 2 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
work=$1 out=$2
shift 2
mkdir -p "$work" "$out"
rustc=${RUSTC:-rustc}
library=$("$rustc" --print sysroot)/lib/rustlib/src/rust/library

# core is made anew rather than taken from a wasm32-unknown-unknown package: it
# must have atomics. It is allowed its unstable features as upstream allows it.
export RUSTC_BOOTSTRAP=1
flags=(--target wasm32-unknown-unknown -C target-feature=+atomics,+bulk-memory,+mutable-globals
	-C panic=abort -C opt-level=2 -C embed-bitcode=no -L "$work" --out-dir "$work"
	# A module says nothing of where it was built.
	--remap-path-prefix "$here/=" --remap-path-prefix "$library=library")
crate() { # name root-file...
	local name=$1 edition
	shift
	edition=$(sed -n 's/^edition = "\(.*\)"/\1/p' "$library/$name/Cargo.toml" 2>/dev/null || true)
	"$rustc" "${flags[@]}" --crate-name "$name" --crate-type rlib --edition "${edition:-2021}" \
		--cap-lints allow -Z force-unstable-if-unmarked "$@"
}
crate core "$library/core/src/lib.rs"
# What rustc calls for what a machine cannot do; clang's builtins have the same
# functions by the same names, and musl has memcpy.
echo '#![feature(no_core, compiler_builtins)] #![no_core] #![compiler_builtins]' |
	crate compiler_builtins -
crate alloc "$library/alloc/src/lib.rs"

for file in "$@"; do
	name=$(basename "$file" .rs)
	"$rustc" "${flags[@]}" --edition 2021 --crate-type staticlib -D warnings "$here/$file" 2>"$work/$name.log" || { cat "$work/$name.log" >&2; exit 1; }
	wasmlinux-cc "$work/lib$name.a" -Wl,--fatal-warnings -o "$out/$name.wasm"
done
