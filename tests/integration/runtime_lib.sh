# SPDX-License-Identifier: Apache-2.0
# Bundles for the tests of nacre-runtime. Source with: . "$TESTS/runtime_lib.sh"
. "$TESTS/lib.sh"

busybox=$(command -v busybox) || skip "busybox-static is not installed"
command -v python3 >/dev/null || skip "python3 is not installed"

# A root file system in $T/rootfs, shared by every bundle of a test.
make_rootfs() {
  mkdir -p "$T/rootfs/bin" "$T/rootfs/etc" "$T/rootfs/tmp"
  cp "$busybox" "$T/rootfs/bin/busybox"
  for applet in $("$busybox" --list); do
    [ "$applet" = busybox ] || ln -s busybox "$T/rootfs/bin/$applet"
  done
  printf 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n' >"$T/rootfs/etc/passwd"
}

# bundle NAME PYTHON…: $T/NAME with the default config.json, changed by statements on `c`; `p` is
# its process and `l` its linux part.
bundle() {
  mkdir -p "$T/$1"
  nacre-runtime spec -b "$T/$1"
  python3 - "$T/$1/config.json" "$T/rootfs" "$2" <<'PY'
import json, sys
path, rootfs, change = sys.argv[1:4]
c = json.load(open(path))
p, l = c["process"], c["linux"]
p["terminal"] = False
c["root"]["path"] = rootfs
def namespace(type, **rest):
    l["namespaces"] = [n for n in l["namespaces"] if n["type"] != type] + [dict(type=type, **rest)]
exec(change)
json.dump(c, open(path, "w"))
PY
}

# A failing test must not leave its containers to the next.
clean_up() {
  for id in $(nacre-runtime --root "$T/rt" list -q); do nacre-runtime --root "$T/rt" delete -f "$id" || true; done
}
trap clean_up EXIT

rt() { nacre-runtime --root "$T/rt" "$@"; }

# status ID: what `state` says
status() { rt state "$1" | python3 -c 'import json,sys; print(json.load(sys.stdin)["status"])'; }
pid_of() { rt state "$1" | python3 -c 'import json,sys; print(json.load(sys.stdin)["pid"])'; }
is_status() { [ "$(status "$1")" = "$2" ]; }

# In which directory the cgroup of ID is, for a controller that is on v1 or v2.
cgroup_dir() {
  for dir in "/sys/fs/cgroup/$2$NACRE_CGROUP_PARENT/$1" "/sys/fs/cgroup$NACRE_CGROUP_PARENT/$1"; do
    [ -d "$dir" ] && echo "$dir" && return 0
  done
  fail "no $2 cgroup for $1"
}

# Nothing of any container is left: no state, no cgroup.
nothing_left() {
  [ -z "$(ls -A "$T/rt" 2>/dev/null)" ] || fail "$1: state is left: $(ls "$T/rt")"
  left=$(find /sys/fs/cgroup -mindepth 1 -type d -path "*$NACRE_CGROUP_PARENT/*" 2>/dev/null || true)
  [ -z "$left" ] || fail "$1: cgroups are left: $left"
}
