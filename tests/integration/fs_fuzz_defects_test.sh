# SPDX-License-Identifier: Apache-2.0
# The fuzzer can fail: each deliberate defect of a file system is found within a minute.
. "$TESTS/lib.sh"
not_emulated "thirty defects"
. "$TESTS/fs_lib.sh"
kernel_overlay_works || skip "kernel overlayfs cannot mount here"
command -v defective-nacre-fs >/dev/null || skip "defective-nacre-fs was not built"
in_memory
for defect in ${NACRE_DEFECTS:-$(defective-nacre-fs --defects)}; do
  begun=$(date +%s)
  code=0
  NACRE_DEFECT=$defect python3 "$TESTS/fs_fuzz.py" 1 60 defective-nacre-fs >"$T/found" 2>&1 || code=$?
  [ "$code" = 1 ] && grep -q '^DIFFERENCE with seed' "$T/found" || fail "$defect is not found: $(tail -n 5 "$T/found")"
  echo "$defect: $(sed -n 's/^DIFFERENCE with \(seed [0-9]*\).*/\1/p' "$T/found"), $(($(date +%s) - begun)) s"
  rm -rf "$T"/disk/*
done
leave_memory
