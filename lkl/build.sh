#!/usr/bin/env bash
# Builds kernel.wasm.
#
#   build.sh SRC BUILD OUT
#
# SRC is a Linux tree with lkl/patches applied, lkl/overlay copied over it and
# the generated asm/lkl_host.h in place. BUILD is kbuild's object directory and
# may be reused. OUT gets kernel.wasm.
set -euo pipefail

[ $# -eq 3 ] || { echo "usage: $0 SRC BUILD OUT" >&2; exit 2; }
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$2" "$3"
src=$(cd "$1" && pwd)
build=$(cd "$2" && pwd)
out=$(cd "$3" && pwd)

# The same sources give the same bytes, whoever builds them and when.
export KBUILD_BUILD_TIMESTAMP='1970-01-01 00:00:00 UTC' KBUILD_BUILD_VERSION=1
export KBUILD_BUILD_USER=wasmlinux KBUILD_BUILD_HOST=wasmlinux
export LC_ALL=C

kmake() {
	make -s -C "$src" O="$build" ARCH=lkl \
		LLVM=-19 CLANG_TARGET_FLAGS_lkl=wasm32-unknown-unknown \
		LD=wasm-ld-19 HOSTCC=gcc HOSTLD=ld LOCALVERSION= \
		-j"${JOBS:-2}" "$@"
}

fragments=("$here"/config/*.config)
key=$(cat "${fragments[@]}" "$src/arch/lkl/Kconfig" | sha256sum | cut -d' ' -f1)
if [ "$(cat "$build/.lkl-config-key" 2>/dev/null)" != "$key" ]; then
	rm -f "$build/.lkl-config-key"
	KCONFIG_ALLCONFIG=/dev/null kmake allnoconfig >/dev/null
	(cd "$build" && "$src/scripts/kconfig/merge_config.sh" -m -Q -O "$build" \
		"$build/.config" "${fragments[@]}" >/dev/null)
	kmake olddefconfig
	"$here/config/check" "$build/.config" "${fragments[@]}"
	echo "$key" > "$build/.lkl-config-key"
fi

kmake kernel.wasm
cp "$build/kernel.wasm" "$out/kernel.wasm.tmp"
mv "$out/kernel.wasm.tmp" "$out/kernel.wasm"
