# SPDX-License-Identifier: Apache-2.0
# podman with a store of the test's own, in $T. Source after runtime_lib.sh.
command -v podman >/dev/null || skip "podman is not installed"
command -v conmon >/dev/null || skip "conmon is not installed"
command -v systemctl >/dev/null && systemctl is-system-running >/dev/null 2>&1 && skip "with systemd podman picks its cgroup manager"

. "$TESTS/containers_conf.sh"

# podman_setup DRIVER [MORE]: with this storage driver, and more lines of storage.conf.
podman_setup() {
  mkdir -p "$T/podman" "$T/run"
  {
    engine_conf
    printf 'tmp_dir = "%s"\nruntime_supports_json = ["nacre-runtime"]\n' "$T/run/libpod"
  } >"$T/containers.conf"
  printf '[storage]\ndriver = "%s"\nrunroot = "%s"\ngraphroot = "%s"\n%s\n' "$1" "$T/run" "$T/podman" "${2:-}" >"$T/storage.conf"
  printf '{"default": [{"type": "insecureAcceptAnything"}]}\n' >"$T/policy.json"
  export CONTAINERS_CONF="$T/containers.conf" CONTAINERS_STORAGE_CONF="$T/storage.conf"
}

pod() { podman --runtime "$BIN/nacre-runtime" --cgroup-manager cgroupfs "$@"; }
# run OPTIONS… IMAGE COMMAND…, in a cgroup of the test's own
prun() { pod run --rm --network none --cgroup-parent "$NACRE_CGROUP_PARENT/podman" "$@"; }

# podman_import NAME: an image of $T/rootfs, and containers of it run.
podman_import() {
  tar -C "$T/rootfs" -c . | pod import - "$1" >/dev/null 2>"$T/err" || skip "podman cannot import an image here: $(tail -n 1 "$T/err")"
  prun "$1" true >"$T/out" 2>&1 && return 0
  # Is it us, or does podman not work here at all?
  if command -v runc >/dev/null && ! podman --root "$T/plain" --runroot "$T/plain-run" --storage-driver vfs --runtime runc \
    --cgroup-manager cgroupfs run --rm --network none --rootfs "$T/rootfs" true >"$T/runc" 2>&1; then
    skip "podman does not work here with runc either: $(tail -n 1 "$T/runc")"
  fi
  fail "podman run: $(cat "$T/out")"
}

# What podman has bound for itself goes with the namespace, its cgroups with us.
podman_clean() {
  pod rm --all --force >/dev/null 2>&1 || true
  pod rmi --all --force >/dev/null 2>&1 || true
  awk -v t="$T/" 'index($5, t) == 1 {print $5}' /proc/self/mountinfo | sort -r | while read -r mount; do umount "$mount"; done
  find /sys/fs/cgroup -depth -type d -path "*$NACRE_CGROUP_PARENT*" -exec rmdir {} \; 2>/dev/null || true
}

# A failing test leaves nothing to the next, either.
trap 'podman_clean; clean_up' EXIT
