#!/bin/bash
# native.sh MUSL BUSYBOX OUT
#
# The host's side of the benchmarks: musl for this machine from MUSL, a pristine
# tree (OUT/include, OUT/lib, OUT/cc, a compiler for it), and OUT/busybox from
# BUSYBOX with the guest's own build script, so that configuration and
# optimisation are the same. JOBS can be set.
set -euo pipefail

[ $# = 3 ] || { sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
musl=$(cd "$1" && pwd)
busybox=$(cd "$2" && pwd)
mkdir -p "$3" && out=$(cd "$3" && pwd)

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
cp -a "$musl/." "$tree"
cd "$tree"
./configure --prefix=/ --disable-shared CC=gcc CFLAGS=-O2 >configure.log ||
	{ cat configure.log >&2; exit 1; }
make -j"${JOBS:-2}" >make.log 2>&1 || { tail -40 make.log >&2; exit 1; }
make DESTDIR="$out" install-headers install-libs >>make.log 2>&1
cp tools/musl-gcc.specs.sh "$out/lib/"
# The kernel's headers, as the host's libc has them.
for dir in linux asm-generic mtd scsi sound rdma misc video xen; do
	[ -e "$out/include/$dir" ] || [ ! -e "/usr/include/$dir" ] || cp -rL "/usr/include/$dir" "$out/include/"
done
cp -rL "$(dirname "$(echo '#include <asm/types.h>' | gcc -E -M -x c - | grep -o '/[^ ]*asm/types.h' | head -n1)")" "$out/include/asm"

# Finds its own directory: the cache moves it.
cat >"$out/cc" <<'END'
#!/bin/bash
# gcc for the musl beside this file.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
specs=$(mktemp)
trap 'rm -f "$specs"' EXIT
sh "$here/lib/musl-gcc.specs.sh" "$here/include" "$here/lib" /none >"$specs"
gcc -specs "$specs" -fno-pie -no-pie "$@"
END
chmod +x "$out/cc"

mkdir "$tree/busybox"
CC="$out/cc" AR=ar NM=nm "$here/../busybox/build.sh" "$busybox" "$out" "$tree/busybox"
cp "$tree/busybox/busybox.wasm" "$out/busybox"
