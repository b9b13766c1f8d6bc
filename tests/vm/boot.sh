#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# boot.sh CACHE BIN OUT [PATTERN[,PATTERN…]]: boots the guest once with the programs in BIN, runs the
# integration tests (those whose name matches a PATTERN) in it and leaves OUT/results and
# OUT/console. Exit status 77, with the reason, when this machine cannot do that. NACRE_VM_SETTINGS, such as
# "NACRE_TEST_KILLS=1000 nacre.limit=3600", is for the tests' environment and for the guest (tests/vm/guest);
# the whole machine has NACRE_VM_SECONDS (2700).
set -eu
cache=$1 bin=$2 out=$3 pattern=${4:-*}
here=$(cd "$(dirname "$0")" && pwd)
seconds=${NACRE_VM_SECONDS:-2700}

mkdir -p "$out"
rm -f "$out/results" "$out/console" "$out/skipped"
skip() { echo "SKIP: $*" | tee "$out/skipped"; exit 77; }
[ "$(uname -m)" = x86_64 ] || skip "the guest is x86-64, this machine is $(uname -m)"
for tool in qemu-system-x86_64 cpio ldd; do
  command -v $tool >/dev/null || skip "$tool is not installed (tools/setup --tests)"
done
built=''
for program in nacre nacre-fs nacre-procfs nacre-runtime; do
  [ ! -x "$bin/$program" ] || built="$built $bin/$program"
done
[ -n "$built" ] || skip "none of the programs is built in $bin"
# Other executables that the tests use (helpers, benchmarks) come along.
others=$(find "$bin" -maxdepth 1 -type f -perm -u+x ! -name 'nacre*' ! -name '*_tests' ! -name '*_fuzz')

status=0
"$here/image.sh" "$cache" >"$out/image.log" 2>&1 || status=$?
if [ $status = 77 ]; then skip "$(sed -n 's/^SKIP: //p' "$out/image.log" | tail -n 1)"; fi
[ $status = 0 ] || { cat "$out/image.log"; exit 1; }

# The initramfs: busybox, the modules, the programs with their libraries, the tests.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/bin" "$work/nacre/bin" "$work/nacre/lib" "$work/nacre/tests" "$work/modules" "$work/dev"
cp "$(command -v busybox)" "$work/bin/busybox"
cp "$here/init" "$work/init"
cp "$cache"/modules/*.ko "$work/modules/"
# shellcheck disable=SC2086
cp $built $others "$work/nacre/bin/"
strip --strip-debug "$work"/nacre/bin/* 2>/dev/null || true
# shellcheck disable=SC2086
ldd $built $others 2>/dev/null | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p' | sort -u | while read -r library; do
  cp -L "$library" "$work/nacre/lib/"
done
cp -a "$here/../integration" "$here/../support" "$here/../vm" "$work/nacre/tests/"
( cd "$work" && find . | cpio --quiet -o -H newc ) >"$out/initramfs.new"
mv "$out/initramfs.new" "$out/initramfs"

# -snapshot: the disk image is never written. Nothing of the host's network is reachable. norandmaps: programs
# that are always at the same place start in half the time on an emulated processor.
status=0
timeout -k 10 "$seconds" qemu-system-x86_64 -M q35 -accel "${NACRE_VM_ACCEL:-tcg,thread=multi}" -cpu max -smp "${NACRE_VM_CPUS:-2}" -m 2048 \
  -nodefaults -no-user-config -display none -no-reboot -snapshot \
  -drive "file=$cache/disk.ext4,format=raw,if=virtio,cache=unsafe" \
  -serial "file:$out/console" -serial "file:$out/results" \
  -kernel "$cache/vmlinuz" -initrd "$out/initramfs" \
  -append "console=ttyS0 quiet loglevel=4 panic=-1 oops=panic norandmaps nacre.only=$pattern ${NACRE_VM_SETTINGS:-}" </dev/null >"$out/qemu.log" 2>&1 || status=$?
rm -f "$out/initramfs"
if [ $status != 0 ] || ! grep -q '^@@ done' "$out/results"; then
  echo "the virtual machine did not finish (qemu: $status$([ $status != 124 ] || echo ", more than $seconds s"))"
  cat "$out/qemu.log"
  echo "-- the end of its console:"; tail -n 30 "$out/console"
  echo "-- the end of its results:"; tail -n 10 "$out/results"
  exit 1
fi
python3 -B "$here/report.py" "$out"
