#!/bin/bash
# build.sh SRC SYSROOT OUT
#
# Builds OUT/busybox.wasm, OUT/busybox.links (one applet path a line) and
# OUT/busybox.config from SRC, a pristine BusyBox tree, which is left as it is.
# CC is wasmlinux-cc; AR, NM, HOSTCC and JOBS can be set too.
set -euo pipefail

[ $# = 3 ] || { sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
src=$(cd "$1" && pwd)
WASMLINUX_SYSROOT=$(cd "$2" && pwd)
export WASMLINUX_SYSROOT
mkdir -p "$3" && out=$(cd "$3" && pwd)

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
cp -a "$src/." "$tree"
cd "$tree"

bb() {
	make ARCH=wasm32 CC="${CC:-wasmlinux-cc}" AR="${AR:-llvm-ar-19}" NM="${NM:-llvm-nm-19}" \
		HOSTCC="${HOSTCC:-gcc}" STRIP=true SKIP_STRIP=y KBUILD_VERBOSE=0 "$@"
}

# The banner has a date: the release's, so that the same input gives the same
# bytes.
SOURCE_DATE_EPOCH=$(stat -c %Y "$src/Makefile")
export SOURCE_DATE_EPOCH TZ=UTC

bb defconfig >config.log 2>&1 || { tail -20 config.log >&2; exit 1; }
while read -r line; do
	case $line in
	CONFIG_*) name=${line%%=*} ;;
	'# CONFIG_'*) name=${line#\# } name=${name%% *} ;;
	*) continue ;;
	esac
	sed -i "/^$name=/d;/^# $name is/d" .config
	echo "$line" >>.config
done <"$here/wasmlinux.config"
# oldconfig asks about what is new; an empty answer takes the default.
yes '' 2>/dev/null | bb oldconfig >config.log 2>&1 || true
grep -E '^(CONFIG_|# CONFIG_)' "$here/wasmlinux.config" | while read -r line; do
	grep -qxF "$line" .config || { echo "BusyBox's configuration refused: $line" >&2; exit 1; }
done

bb -j"${JOBS:-2}" busybox busybox.links >make.log 2>&1 || { tail -40 make.log >&2; exit 1; }
cp busybox "$out/busybox.wasm"
cp busybox.links "$out/"
cp .config "$out/busybox.config"
