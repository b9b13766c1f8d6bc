# SPDX-License-Identifier: Apache-2.0
# What users of fuse-overlayfs complain about is not so here: each complaint is tried.
. "$TESTS/lib.sh"
not_emulated "eighty servers one after the other"
[ -c /dev/fuse ] || skip "no /dev/fuse"
TMPDIR=$T python3 "$TESTS/fs_complaints.py" nacre-fs || fail "see above"
