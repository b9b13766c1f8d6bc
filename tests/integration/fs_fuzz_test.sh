# SPDX-License-Identifier: Apache-2.0
# Like fs_differential, with what makes unions hard: whiteouts and opaque directories in
# lower layers, exchanges, whole trees removed, attributes, and each upper layer mounted
# again, to write on, by the other. NACRE_SEEDS="7 8 9" repeats or extends a run.
. "$TESTS/lib.sh"
. "$TESTS/fs_lib.sh"
kernel_overlay_works || skip "kernel overlayfs cannot mount here"
for seed in ${NACRE_SEEDS:-1 2 3 4 5 6}; do
  python3 "$TESTS/fs_fuzz.py" "$seed" "${NACRE_STEPS:-400}" || fail "seed $seed"
done
