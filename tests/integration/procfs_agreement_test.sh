# SPDX-License-Identifier: Apache-2.0
# Whatever changes, busybox and procps in one container see the same, and what the cgroup says.
. "$TESTS/lib.sh"
command -v python3 >/dev/null || skip "python3 is not installed"
debian=$(debian_root) || skip "no Debian root: mmdebstrap or its mirror is missing" # procps
busybox=$(command -v busybox) || skip "busybox is not installed"
[ "$(nproc)" -gt 1 ] || skip "there is one processor: limits of more cannot be told apart"

trap 'nacre rm --force --all >/dev/null 2>&1 || true' EXIT
id=$(nacre run -d --memory 128m --cpus 1 -v "$busybox:/busybox:ro" "$debian" sleep 600)
cgroup_file() {
  for file in "/sys/fs/cgroup/$1$NACRE_CGROUP_PARENT/$id/$2" "/sys/fs/cgroup$NACRE_CGROUP_PARENT/$id/$3"; do
    [ ! -e "$file" ] || { echo "$file"; return; }
  done
  fail "no cgroup file $2 or $3"
}
python3 -B "$TESTS/procfs_agreement.py" "$id" "$(cgroup_file memory memory.limit_in_bytes memory.max)" \
  "$(cgroup_file memory memory.usage_in_bytes memory.current)" "$(cgroup_file cpu cpu.cfs_quota_us cpu.max)" \
  "$(cgroup_file cpu payload/cpu.cfs_quota_us payload/cpu.max)" "${NACRE_TEST_ROUNDS:-20}" >"$T/out" 2>&1 || fail "$(cat "$T/out")"
