#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# image.sh CACHE: makes CACHE/vmlinuz, CACHE/modules/NN-NAME.ko (in the order to load them) and
# CACHE/disk.ext4, the guest's root file system, unless they are there already. The kernel is
# Debian's own package, downloaded and checked by apt and never installed. Exit status 77, with
# the reason, when something cannot be had. NACRE_VM_KERNEL=FILE: that package, of another release.
set -eu
cache=$1
here=$(cd "$(dirname "$0")" && pwd)
support=$here/../support
packages="procps python3 util-linux mount strace attr acl git gcc libc6-dev busybox-static"
modules="virtio_pci virtio_blk fuse overlay"

skip() { echo "SKIP: $*"; exit 77; }
say() { echo "vm: $*"; }

codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-unknown}")
key=$(cat "$here/image.sh" "$support/make_debian.sh" ${NACRE_VM_KERNEL:+"$NACRE_VM_KERNEL"} | sha256sum | cut -c1-16)-$codename
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
[ "$(cat "$cache/made" 2>/dev/null)" = "$key" ] && exit 0
rm -f "$cache/made"

[ "$(id -u)" = 0 ] || skip "making the guest's file system needs root"
for tool in apt-get dpkg-deb mmdebstrap modprobe depmod mke2fs; do
  command -v $tool >/dev/null || skip "$tool is not installed (tools/setup --tests)"
done
work=$cache/work
rm -rf "$work"; mkdir -p "$work"
trap 'rm -rf "$work"' EXIT

# The cloud flavour boots fastest; the generic one has everything too.
kernel=''
[ -z "${NACRE_VM_KERNEL:-}" ] || kernel=$(dpkg-deb -f "$NACRE_VM_KERNEL" Package)
[ -n "$kernel" ] || for meta in linux-image-cloud-amd64 linux-image-amd64; do
  kernel=$(apt-cache depends --important $meta 2>/dev/null | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
  [ -n "$kernel" ] && break
done
[ -n "$kernel" ] || skip "apt knows no Debian kernel package (apt-get update?)"
say "getting $kernel"
chmod 755 "$work"
if [ -n "${NACRE_VM_KERNEL:-}" ]; then
  cp "$NACRE_VM_KERNEL" "$work/linux-image-other.deb"
else
  ( cd "$work" && apt-get -q -o APT::Sandbox::User=root download "$kernel" >log 2>&1 ) || {
    cat "$work/log"; skip "cannot download $kernel"; }
fi
dpkg-deb -x "$work"/linux-image-*.deb "$work/kernel"
release=${kernel#linux-image-}
cp "$work/kernel/boot/vmlinuz-$release" "$cache/vmlinuz"
tree=$work/kernel
[ -d "$tree/lib/modules" ] || tree=$tree/usr
depmod -b "$tree" "$release"
rm -rf "$cache/modules"; mkdir "$cache/modules"
number=10
for module in $modules; do
  # Built-in ones print "builtin NAME"; the others name each file once, in order.
  for file in $(modprobe -d "$tree" -S "$release" --show-depends $module | sed -n 's/^insmod \([^ ]*\).*/\1/p'); do
    name=$(basename "${file%.xz}" .ko)
    ls "$cache"/modules/*-"$name".ko >/dev/null 2>&1 && continue
    case $file in
      *.xz) xz -dc "$file" >"$cache/modules/$number-$name.ko" ;;
      *) cp "$file" "$cache/modules/$number-$name.ko" ;;
    esac
    number=$((number + 1))
  done
done

say "making the guest's root file system"
# shellcheck disable=SC2086
"$support/make_debian.sh" "$work/root" $packages 9>&- || skip "mmdebstrap could not make the guest's file system"
# The lower layer that tests use; the guest has no network to make its own.
"$support/make_debian.sh" "$work/root/debian" procps python3-minimal ca-certificates 9>&- || skip "mmdebstrap could not make the guest's file system"
mkdir -p "$work/root/nacre"
rm -f "$work/disk.ext4"
truncate -s $(($(du -sm "$work/root" | cut -f1) * 5 / 4 + 2048))M "$work/disk.ext4"
mke2fs -q -t ext4 -O ^has_journal -m 0 -E lazy_itable_init=1 -d "$work/root" "$work/disk.ext4"
mv "$work/disk.ext4" "$cache/disk.ext4"
echo "$key" >"$cache/made"
say "ready: $kernel, $(du -sh "$cache" | cut -f1) in $cache"
