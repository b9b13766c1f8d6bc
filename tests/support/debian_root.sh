#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# debian_root.sh [NAME PACKAGE…]: prints the path of a minimal Debian root file system (minbase, procps, python3;
# or NAME, with the packages instead) to use as a lower layer; nobody may change it. It is made once, with
# mmdebstrap from the mirror this machine is configured with, and kept in .deps. Exit status 77, with the reason,
# when it cannot be had. In the virtual machine NACRE_DEBIAN_ROOT says where the first one is; there is no other.
set -eu
skip() { echo "SKIP: $*" >&2; exit 77; }

name=${1:-debian-root}
[ $# -gt 0 ] && shift || set -- procps python3-minimal ca-certificates
if [ -n "${NACRE_DEBIAN_ROOT:-}" ]; then
  [ "$name" = debian-root ] || skip "$name is not in the virtual machine"
  echo "$NACRE_DEBIAN_ROOT"
  exit 0
fi
top=$(cd "$(dirname "$0")/../.." && pwd)
root=$top/.deps/$name
[ -d "$root" ] && { echo "$root"; exit 0; }

[ "$(id -u)" = 0 ] || skip "making a Debian root needs root"
command -v mmdebstrap >/dev/null || skip "mmdebstrap is not installed (tools/setup --tests)"
mkdir -p "$top/.deps"
exec 9>"$root.lock"
flock 9
[ -d "$root" ] && { echo "$root"; exit 0; }
"$top/tests/support/make_debian.sh" "$root.partial" "$@" >&2 9>&- || skip "mmdebstrap could not make a Debian root"
mv "$root.partial" "$root"
echo "$root"
