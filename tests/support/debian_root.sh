#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# debian_root.sh: prints the path of a minimal Debian root file system (minbase, procps, python3)
# to use as a lower layer; nobody may change it. It is made once, with mmdebstrap from the
# mirror this machine is configured with, and kept in .deps. Exit status 77, with the reason,
# when it cannot be had. In the virtual machine NACRE_DEBIAN_ROOT says where it is.
set -eu
skip() { echo "SKIP: $*" >&2; exit 77; }

[ -z "${NACRE_DEBIAN_ROOT:-}" ] || { echo "$NACRE_DEBIAN_ROOT"; exit 0; }
top=$(cd "$(dirname "$0")/../.." && pwd)
root=$top/.deps/debian-root
[ -d "$root" ] && { echo "$root"; exit 0; }

[ "$(id -u)" = 0 ] || skip "making a Debian root needs root"
command -v mmdebstrap >/dev/null || skip "mmdebstrap is not installed (tools/setup --tests)"
mkdir -p "$top/.deps"
exec 9>"$top/.deps/debian-root.lock"
flock 9
[ -d "$root" ] && { echo "$root"; exit 0; }
"$top/tests/support/make_debian.sh" "$root.partial" procps python3-minimal ca-certificates >&2 9>&- || skip "mmdebstrap could not make a Debian root"
mv "$root.partial" "$root"
echo "$root"
