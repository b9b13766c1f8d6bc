# SPDX-License-Identifier: Apache-2.0
# What users of fuse-overlayfs complain about is not so here: each complaint is tried.
. "$TESTS/lib.sh"
[ "${NACRE_TEST_SCALE:-1}" = 1 ] || skip "eighty servers one after the other take too long on an emulated machine"
[ -c /dev/fuse ] || skip "no /dev/fuse"
TMPDIR=$T python3 "$TESTS/fs_complaints.py" nacre-fs || fail "see above"
