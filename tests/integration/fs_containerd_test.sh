# SPDX-License-Identifier: Apache-2.0
# nacre-fs as containerd's fuse-overlayfs-snapshotter, mount(8) and /etc/fstab start it, through
# mount.fuse3; then containers of a real containerd on a root made so, and, where the
# snapshotter is installed, with packaging/containerd-fuse-overlayfs.toml.
# shellcheck disable=SC2154 # engine_lib.sh sets what is not set here
. "$TESTS/lib.sh"
. "$TESTS/fs_lib.sh"
. "$TESTS/engine_lib.sh"
needs busybox python3 mount.fuse3
needs_snippet containerd-fuse-overlayfs.toml fstab
engine_rootfs
daemons=''
engine_clean() {
  for pid in $daemons; do { kill "$pid" && wait "$pid"; } 2>/dev/null || true; done
  unmount_all
}
trap engine_clean EXIT

# mount(8) gives its helpers no PATH, so the programs have to be in a standard folder; here in a copy
# of one that only this test sees. The name fuse-overlayfs is fixed in the snapshotter: there it
# is a link, found before a fuse-overlayfs that is installed.
mkdir "$T/sbin"
cp -a /usr/local/sbin/. "$T/sbin"
ln -sf "$BIN/nacre-fs" "$T/sbin/nacre-fs"
ln -sf "$BIN/nacre-fs" "$T/sbin/fuse-overlayfs"
mount --bind "$T/sbin" /usr/local/sbin
PATH=/usr/local/sbin:$PATH

# server MOUNTPOINT: the id of the process that serves it.
server() {
  for pid in /proc/[0-9]*; do
    [ "$(readlink "$pid/exe" 2>/dev/null)" = "$(readlink -f "$BIN/nacre-fs")" ] && tr '\0' ' ' <"$pid/cmdline" | grep -q " $1 " && echo "${pid#/proc/}" && return 0
  done
  return 1
}

# works WHAT COMMAND…: it mounts layers on $T/mnt, they take changes, and umount(8) ends the server.
works() {
  what=$1
  shift
  "$@" >"$T/out" 2>&1 || fail "$what: $(cat "$T/out")"
  grep -q " $T/mnt .* - fuse\.nacre-fs " /proc/self/mountinfo || fail "$what: not mounted: $(grep " $T/mnt " /proc/self/mountinfo)"
  pid=$(server "$T/mnt") || fail "$what: nacre-fs does not serve it"
  equal "$what" "$(cat "$T/mnt/file" "$T/mnt/second" && stat -c %u:%g "$T/mnt/file")" "$(printf 'lower\nsecond\n%s' "${owner:-0:0}")"
  if [ -z "${read_only:-}" ]; then
    rm "$T/mnt/file"
    mkdir "$T/mnt/new"
    [ -c "$T/upper/file" ] && [ -d "$T/upper/new" ] || fail "$what: the changes are not in the upper layer"
    rm -r "$T/upper/file" "$T/upper/new"
  else
    if touch "$T/mnt/x" 2>/dev/null; then fail "$what: it can be changed"; fi
  fi
  umount "$T/mnt" || fail "$what: umount"
  eventually "$what: the server ends" sh -c "! [ -d /proc/$pid ] || grep -q '^State:.Z' /proc/$pid/status"
}

layers
mkdir "$T/second"
echo lower >"$T/lower/file"
echo second >"$T/second/second"
lower=$T/lower:$T/second
works "mount -t fuse.nacre-fs" mount -t fuse.nacre-fs overlay "$T/mnt" -o "workdir=$T/work,upperdir=$T/upper,lowerdir=$lower"
for type in nacre-fs fuse-overlayfs; do
  # What containerd executes, word by word.
  works "mount.fuse3 -t $type" mount.fuse3 overlay "$T/mnt" -o "workdir=$T/work" -o "upperdir=$T/upper" -o "lowerdir=$lower" -t "$type"
  read_only=1 works "mount.fuse3 -t $type of a view" mount.fuse3 overlay "$T/mnt" -o "lowerdir=$lower" -t "$type"
  read_only=1 owner=1000:2000 works "mount.fuse3 -t $type with ids" mount.fuse3 overlay "$T/mnt" -o "workdir=$T/work" -o "upperdir=$T/upper" \
    -o "lowerdir=$lower" -o uidmapping=0:1000:65536 -o gidmapping=0:2000:65536 -o ro -t "$type"
done
exits 1 mount.fuse3 overlay "$T/mnt" -o "workdir=$T/work" -o "upperdir=$T/upper" -o "lowerdir=$T/nowhere" -t nacre-fs
grep -q nowhere "$T/err" || fail "the error does not name the layer: $(cat "$T/err")"

# /etc/fstab: `mount -a` and `mount MOUNTPOINT`.
snippet fstab /srv/merged "$T/mnt" /srv/lower "$lower" /srv/upper "$T/upper" /srv/work "$T/work" >"$T/fstab"
works "mount -a" mount -a -T "$T/fstab"
works "mount MOUNTPOINT" mount -T "$T/fstab" "$T/mnt"

for command in containerd ctr runc containerd-shim-runc-v2; do
  command -v "$command" >/dev/null || { echo "note: the forms of mount hold; $command is not installed, so no container ran"; exit 0; }
done

# A containerd of the test's own, and before it the snapshotter that it connects to.
if command -v containerd-fuse-overlayfs-grpc >/dev/null; then
  containerd-fuse-overlayfs-grpc "$T/snapshotter.sock" "$T/snapshotter" >"$T/snapshotter.log" 2>&1 &
  daemons="$!"
  eventually "the snapshotter" test -S "$T/snapshotter.sock"
fi
snippet containerd-fuse-overlayfs.toml /run/containerd-fuse-overlayfs.sock "$T/snapshotter.sock" >"$T/config.toml"
# What it would keep elsewhere, or cannot do here, is not needed; such keys stand before all tables.
sed -i 's|^version = 2$|&\ndisabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt", "io.containerd.tracing.processor.v1.otlp"]|' "$T/config.toml"
containerd --config "$T/config.toml" --root "$T/containerd" --state "$T/containerd-state" --address "$T/containerd.sock" >"$T/containerd.log" 2>&1 &
daemons="$! $daemons"
ctrd() { ctr --address "$T/containerd.sock" --namespace nacre-test "$@"; }
for _ in $(seq 100); do
  ctrd version >/dev/null 2>&1 && break
  sleep 0.1
done
ctrd version >/dev/null 2>&1 || skip "containerd does not start here: $(tail -n 2 "$T/containerd.log")"
ctrd plugins ls | grep -q 'io\.containerd\.snapshotter\.v1 *fuse-overlayfs .*ok' || fail "containerd did not take the snippet: $(ctrd plugins ls | grep snapshotter)"

# A container on a root that nacre-fs has mounted. Is it us, or does none run here at all?
crun() { ctrd run --rm --runc-binary "$(command -v runc)" --cgroup "$NACRE_CGROUP_PARENT/ctr" "$@"; }
crun --rootfs "$T/rootfs" plain /bin/true >"$T/out" 2>&1 || skip "the forms of mount hold, but containerd runs no container here: $(tail -n 1 "$T/out")"
mount.fuse3 overlay "$T/mnt" -o "workdir=$T/work" -o "upperdir=$T/upper" -o "lowerdir=$T/rootfs" -t fuse-overlayfs
equal "ctr run --rootfs" "$(crun --rootfs "$T/mnt" one /bin/sh -c "$root_type; rm /etc/hello; echo new >/new; cat /new")" "$(printf 'fuse.nacre-fs\nnew')"
[ -c "$T/upper/etc/hello" ] && [ -f "$T/upper/new" ] || fail "the container's changes are not in the upper layer"
umount "$T/mnt"

if command -v containerd-fuse-overlayfs-grpc >/dev/null; then
  # An image of three layers with whiteouts, and the tree that is expected of it.
  python3 - "$T" <<'PY'
import hashlib, io, json, sys, tarfile
top = sys.argv[1]
blobs = {}
def blob(data, kind):
    digest = hashlib.sha256(data).hexdigest()
    blobs[digest] = data
    return {"mediaType": "application/vnd.oci.image." + kind, "digest": "sha256:" + digest, "size": len(data)}
def layer(members, folder=None):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        if folder:
            tar.add(folder, arcname=".")
        for name, data in members:
            info = tarfile.TarInfo(name)
            if data is None:
                info.type, info.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(info)
            else:
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    return out.getvalue()
layers = [
    layer([], top + "/rootfs"),
    layer([("a", None), ("a/1", b"1\n"), ("a/2", b"2\n"), ("etc/.wh.hello", b""), ("opt/full", None), ("opt/full/.wh..wh..opq", b""), ("opt/full/other", b"o\n")]),
    layer([("a/.wh.1", b""), ("a/3", b"3\n"), ("etc/.wh.dir", b""), ("etc/dir", b"a file now\n")]),
]
config = blob(json.dumps({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {
    "type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(l).hexdigest() for l in layers]}}).encode(), "config.v1+json")
manifest = blob(json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config,
    "layers": [blob(l, "layer.v1.tar") for l in layers]}).encode(), "manifest.v1+json")
manifest["annotations"] = {"io.containerd.image.name": "test.invalid/box:1", "org.opencontainers.image.ref.name": "1"}
with tarfile.open(top + "/image.tar", "w") as tar:
    for name, data in [("oci-layout", b'{"imageLayoutVersion": "1.0.0"}'), ("index.json", json.dumps({"schemaVersion": 2, "manifests": [manifest]}).encode())] + [
            ("blobs/sha256/" + digest, data) for digest, data in blobs.items()]:
        info = tarfile.TarInfo(name)
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
PY
  ctrd images import --snapshotter fuse-overlayfs "$T/image.tar" >"$T/out" 2>&1 || fail "ctr images import: $(cat "$T/out" "$T/snapshotter.log")"
  equal "ctr run" "$(crun --snapshotter fuse-overlayfs test.invalid/box:1 two /bin/sh -c "$root_type; cat /a/* /etc/dir; ls -d /etc/hello /opt/full/* 2>/dev/null; echo x >/x; rm /a/2")" \
    "$(printf 'fuse.nacre-fs\n2\n3\na file now\n/opt/full/other')"
  equal "the next container" "$(crun --snapshotter fuse-overlayfs test.invalid/box:1 three /bin/sh -c "ls /a /x 2>/dev/null" | tr '\n' ' ')" "$(printf '/a:\n2\n3' | tr '\n' ' ') "
  ctrd images rm --sync test.invalid/box:1 >/dev/null
  store_is_native "$T/snapshotter"
else
  echo "note: containerd-fuse-overlayfs-grpc is not installed: containerd's own mounts were not tried"
fi
engine_clean
no_server
