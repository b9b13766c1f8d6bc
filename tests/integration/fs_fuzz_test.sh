# SPDX-License-Identifier: Apache-2.0
# Random operations on nacre-fs and on kernel overlayfs, by several processes, for a minute:
# results, trees and uppers must be equal. "NACRE_SEED=7 NACRE_SECONDS=3600" goes on elsewhere.
. "$TESTS/lib.sh"
. "$TESTS/fs_lib.sh"
kernel_overlay_works || skip "kernel overlayfs cannot mount here"
in_memory
python3 "$TESTS/fs_fuzz.py" "${NACRE_SEED:-1}" "${NACRE_SECONDS:-$((60 / ${NACRE_TEST_SCALE:-1}))}" || fail "see above"
leave_memory
