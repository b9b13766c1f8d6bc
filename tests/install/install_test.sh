#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# install_test.sh CMAKE BUILD BINDIR MANDIR DATADIR: what `cmake --install` puts below a prefix is whole and names what
# is there.
set -eu
cmake=$1 build=$2 bin=$3 man=$4/man1 data=$5/nacre
root=$(cd "$(dirname "$0")/../.." && pwd)
prefix=/opt/nacre
work=$(mktemp -d)
manifest=$build/install_manifest.txt # of an installation that is in use, maybe
[ ! -f "$manifest" ] || cp -p "$manifest" "$work/manifest"
clean() {
  rm -f "$manifest"
  [ ! -f "$work/manifest" ] || mv "$work/manifest" "$manifest"
  rm -rf "$work"
}
trap clean EXIT

fail() {
  printf 'FAIL: %s\n' "$*"
  exit 1
}

DESTDIR=$work/root "$cmake" --install "$build" --prefix $prefix >"$work/log" 2>&1 || fail "$(cat "$work/log")"
cd "$work/root$prefix"

for program in nacre nacre-fs nacre-procfs nacre-runtime; do
  "$bin/$program" --version >/dev/null || fail "$program does not start"
  [ -f "$man/$program.1" ] || fail "no man page of $program"
done

for snippet in "$root"/packaging/*; do
  name=${snippet##*/}
  case $name in *.service) installed=lib/systemd/system/$name ;; *) installed=$data/$name ;; esac
  [ -f "$installed" ] || fail "no $installed"
  sed "s|/usr/bin/nacre|$prefix/$bin/nacre|g" "$snippet" | cmp - "$installed" || fail "$name is not what it was"
  for program in $(grep -o "$prefix/$bin/[a-z-]*" "$installed"); do
    [ -x "$work/root$program" ] || fail "$name names $program, which is not there"
  done
done
grep -q "^ExecStart=$prefix/$bin/nacre-procfs " lib/systemd/system/nacre-procfs.service || fail "the unit starts another program"

# Nothing that other programs read by themselves, and no test or library of ours.
cd "$work/root"
unexpected=$(find . ! -type d ! -path ".$prefix/$bin/*" ! -path ".$prefix/$man/*" ! -path ".$prefix/$data/*" \
  ! -path ".$prefix/lib/systemd/system/nacre-procfs.service")
[ -z "$unexpected" ] || fail "installed, too: $unexpected"
[ "$(find ".$prefix/$bin" ! -type d | wc -l)" = 4 ] || fail "$bin has $(ls ".$prefix/$bin")"
