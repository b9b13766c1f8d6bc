# SPDX-License-Identifier: Apache-2.0
# podman and buildah as root on one store with packaging/storage.conf: what they build, list as
# changed, export and commit is what the same commands do to a plain directory; and kernel
# overlayfs takes the containers over as they are.
# shellcheck disable=SC2154 # engine_lib.sh sets what is not set here
. "$TESTS/lib.sh"
. "$TESTS/fs_lib.sh"
. "$TESTS/engine_lib.sh"
needs busybox python3 podman buildah conmon tar setfattr getfattr fusermount3
needs_snippet storage.conf
engine_rootfs

snippet storage.conf /run/containers/storage "$T/run" /var/lib/containers/storage "$T/store" \
  /usr/bin/nacre-fs "$BIN/nacre-fs" >"$T/storage.conf"
{ engine_conf && echo "tmp_dir = \"$T/run/libpod\""; } >"$T/containers.conf"
printf '{"default": [{"type": "insecureAcceptAnything"}]}\n' >"$T/policy.json"
export CONTAINERS_CONF="$T/containers.conf" CONTAINERS_STORAGE_CONF="$T/storage.conf"
# Without mount_program the same store is kernel overlayfs's, once the engine does not remember
# the program: then it looks itself for what only fuse-overlayfs understands.
grep -v mount_program "$T/storage.conf" >"$T/storage-kernel.conf"
kernel() {
  rm -f "$T/store/overlay/.has-mount-program"
  CONTAINERS_STORAGE_CONF="$T/storage-kernel.conf" "$@"
}

pod() { podman --runtime "$runtime" "$@"; }
prun() { pod run --network none --cgroup-parent "$NACRE_CGROUP_PARENT/podman" "$@"; }
engine_clean() {
  buildah rm --all >/dev/null 2>&1 || true
  pod rm --all --force >/dev/null 2>&1 || true
  pod rmi --all --force >/dev/null 2>&1 || true
  unmount_all
}
trap engine_clean EXIT
probe() { podman --root "$T/plain" --runroot "$T/plain-run" "$@"; }
pick_runtime probe

# image_tree IMAGE: the lines of tree.py for it, in $T/got.
image_tree() {
  mounted=$(pod image mount "$1")
  tree "$mounted" >"$T/got"
  if touch "$mounted/x" 2>/dev/null; then fail "a mounted image can be changed"; fi
  pod image umount "$1" >/dev/null
}

tar -C "$T/rootfs" -c . | pod import --signature-policy "$T/policy.json" - box >/dev/null 2>"$T/err" || fail "podman import: $(tail -n 1 "$T/err")"
equal "the root" "$(prun --rm box sh -c "$root_type")" fuse.nacre-fs
equal "a container" "$(prun --rm box sh -c 'echo new >/etc/hello; rm -r /opt/full; cat /etc/hello; ls /opt')" new
equal "the next container" "$(prun --rm box cat /etc/hello /opt/full/file)" "$(printf 'hello\nfull')"

# One container with every kind of change: exactly these are listed.
prun --name one box sh -ec "$container_changes"
layer=$(dirname "$(pod inspect --format '{{.GraphDriver.Data.UpperDir}}' one)")
equal "podman diff" "$(pod diff one | changes)" "$container_changed"
store_is_native "$T/store"
[ -c "$layer/diff/var/lib" ] || fail "what was removed is not a device node in the upper layer"

# The export is the tree, and both are so with kernel overlayfs.
merged=$(pod mount one)
tree "$merged" | shown_with_times >"$T/one.tree"
mkdir "$T/export"
pod export one | tar -C "$T/export" -x
tree "$T/export" | shown_with_times >"$T/got"
same_tree "podman export" "$T/got" "$T/one.tree"
pod umount one >/dev/null
if kernel_overlay_works; then
  merged=$(kernel pod mount one)
  grep -q " $merged .* - overlay " /proc/self/mountinfo || fail "kernel overlayfs was not used: $(grep " $merged " /proc/self/mountinfo)"
  tree "$merged" | shown_with_times >"$T/got"
  same_tree "the container with kernel overlayfs" "$T/got" "$T/one.tree"
  # There and back: what kernel overlayfs changed is what nacre-fs shows.
  rm -r "$merged/etc/dir" "$merged/data"
  mkdir "$merged/etc/dir"
  echo kernel >"$merged/etc/dir/kernel"
  tree "$merged" | shown_with_times >"$T/one.tree"
  kernel pod umount one >/dev/null
  equal "a new container with kernel overlayfs" "$(kernel prun --rm box sh -c "$root_type; cat /etc/hello /opt/full/file")" "$(printf 'overlay\nhello\nfull')"
fi
merged=$(pod mount one)
grep -q " $merged .* - fuse.nacre-fs " /proc/self/mountinfo || fail "nacre-fs is not used again"
tree "$merged" | shown_with_times >"$T/got"
same_tree "the container after kernel overlayfs" "$T/got" "$T/one.tree"
pod umount one >/dev/null
pod commit -q one derived >/dev/null 2>"$T/err" || fail "podman commit: $(cat "$T/err")"
pod rm one >/dev/null
image_tree derived
shown_with_times <"$T/got" >"$T/got2"
same_tree "the committed image" "$T/got2" "$T/one.tree"

# buildah: a container by hand, with a file capability set from outside.
working=$(buildah from --quiet derived)
merged=$(buildah mount "$working")
echo capable >"$merged/capable"
setfattr -n security.capability -v 0x0100000200040000000000000000000000000000 "$merged/capable"
buildah run --isolation oci --runtime "$runtime" --network none "$working" sh -ec 'rm -r /etc/dir; mv /opt/full /opt/moved' 2>"$T/err" || fail "buildah run: $(cat "$T/err")"
store_is_native "$(dirname "$merged")"
buildah config --cmd /bin/true "$working"
buildah umount "$working" >/dev/null
buildah commit --quiet --signature-policy "$T/policy.json" "$working" by-hand >/dev/null 2>"$T/err" || fail "buildah commit: $(cat "$T/err")"
buildah rm "$working" >/dev/null
image_tree by-hand
equal "the image by hand" "$(awk '$1 ~ "^(capable|etc/dir|opt/)" {print $1, $NF}' "$T/got" | sed 's/ [^ ]*=/ /' | tr '\n' ';')" \
  "capable 0100000200040000000000000000000000000000;opt/moved 0;opt/moved/other $(echo other | sha1sum | cut -c1-40);"

# A build of many layers does what the same commands do to a plain directory.
build_context box
buildah bud --quiet --layers --isolation oci --runtime "$runtime" --network none --cgroup-parent "$NACRE_CGROUP_PARENT/build" \
  --signature-policy "$T/policy.json" --tag layered "$T/context" >"$T/out" 2>"$T/err" || fail "buildah bud: $(tail -n 5 "$T/out" "$T/err")"
pod build --quiet --layers=false --network none --cgroup-parent "$NACRE_CGROUP_PARENT/build" \
  --signature-policy "$T/policy.json" --tag squashed "$T/context" >"$T/out" 2>"$T/err" || fail "podman build: $(tail -n 5 "$T/out" "$T/err")"
equal "layers" "$(pod inspect --format '{{len .RootFS.Layers}}' layered squashed | tr '\n' ' ')" "9 2 "
images_match_model layered squashed
equal "the diff of the last layer" "$(pod diff layered | changes)" "$last_step_changes"
equal "a container of the build" "$(prun --rm layered cat /etc/dir/x /opt/full/file /linked)" "$(printf 'inside\nback\nnow a file')"

# All goes away again.
buildah rm --all >/dev/null
pod rm --all --force >/dev/null
pod rmi --all --force >/dev/null
left=$(find "$T/store/overlay" -mindepth 1 -maxdepth 1 -type d ! -name l)
[ -z "$left" ] || fail "layers are left: $left"
engine_clean
no_server
