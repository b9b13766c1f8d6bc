# SPDX-License-Identifier: Apache-2.0
# What users of fuse-overlayfs complain about is not so here: each complaint is tried.
. "$TESTS/lib.sh"
not_emulated "eighty servers one after the other"
[ -c /dev/fuse ] || skip "no /dev/fuse"
# fusermount3 wants to know the name of whoever mounts.
getent passwd 1000 >/dev/null || {
  { cat /etc/passwd; echo "nacre-test:x:1000:1000::/:/bin/sh"; } >"$T/passwd"
  mount --bind "$T/passwd" /etc/passwd
}
TMPDIR=$T python3 "$TESTS/fs_complaints.py" nacre-fs || fail "see above"
