#!/usr/bin/env bash
# Makes src/bindings_*.rs anew from the header that `cargo xtask build` has put
# into target/guest: needed when libtelnet's version changes. Needs bindgen:
#   cargo install bindgen-cli --version 0.72.1
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
header=${WASMLINUX_GUEST:-../../target/guest}/libtelnet/libtelnet.h
# What is used, and nothing variadic. The layout tests hold the checked-in files
# against the compiler's idea of each target; they are why there is one for each
# size of a pointer.
for bits in 64 32; do
	output=src/bindings_$bits.rs
	clang=(--target=x86_64-linux-gnu)
	[ $bits = 64 ] || clang=(--target=wasm32-unknown-unknown -ffreestanding -fvisibility=default)
	bindgen "$header" --output "$output" --use-core --rust-target 1.85 --rust-edition 2021 \
		--allowlist-function 'telnet_(init|free|recv|iac|negotiate|send|subnegotiation)' \
		--allowlist-type 'telnet_(event|event_type|error|telopt|environ)_t' \
		--allowlist-var 'TELNET_.*' --no-doc-comments \
		--no-prepend-enum-name --default-enum-style consts -- "${clang[@]}"
	rustfmt --config-path ../.. "$output"
done
