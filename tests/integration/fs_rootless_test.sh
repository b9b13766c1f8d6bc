# SPDX-License-Identifier: Apache-2.0
# podman and buildah of an ordinary user with packaging/storage-rootless.conf. The user is there
# only in this test's mount namespace, as are his ranges of ids and a /dev/fuse that he may open.
# shellcheck disable=SC2154 # engine_lib.sh sets what is not set here
. "$TESTS/lib.sh"
. "$TESTS/fs_lib.sh"
. "$TESTS/engine_lib.sh"
needs busybox python3 podman buildah conmon tar setpriv newuidmap newgidmap getfattr fusermount3
needs_snippet storage-rootless.conf
for file in passwd group subuid subgid; do [ -e "/etc/$file" ] || skip "no /etc/$file"; done
[ -c /dev/fuse ] || skip "no /dev/fuse"
id=54321
! getent passwd "$id" >/dev/null || skip "a user $id exists"
engine_rootfs
chmod 1777 "$T/rootfs/tmp"

for file in passwd group; do cp "/etc/$file" "$T/$file"; done
echo "nacre-test:x:$id:$id::$T/home:/bin/sh" >>"$T/passwd"
echo "nacre-test:x:$id:" >>"$T/group"
echo "nacre-test:1000000:65536" >"$T/subuid"
cp "$T/subuid" "$T/subgid"
for file in passwd group subuid subgid; do mount --bind "$T/$file" "/etc/$file"; done
cp -a /dev/fuse "$T/fuse"
chmod 666 "$T/fuse"
mount --bind "$T/fuse" /dev/fuse
mkdir -p "$T/home/.config/containers" "$T/xdg" "$T/bin"
# The folder of the programs may be one that an ordinary user cannot enter.
cp "$BIN/nacre-fs" "$T/bin/nacre-fs"
cp "$TESTS/tree.py" "$T/tree.py"
snippet storage-rootless.conf /usr/bin/nacre-fs "$T/bin/nacre-fs" >"$T/home/.config/containers/storage.conf"
engine_conf >"$T/home/.config/containers/containers.conf"
printf '{"default": [{"type": "insecureAcceptAnything"}]}\n' >"$T/home/.config/containers/policy.json"
chown -R "$id:$id" "$T/home" "$T/xdg"
chmod 700 "$T/xdg"
store=$T/home/.local/share/containers/storage

# as_user COMMAND…: without any privilege, and with an environment of his own.
as_user() {
  (cd "$T" && exec setpriv --reuid "$id" --regid "$id" --clear-groups --inh-caps=-all env -i HOME="$T/home" USER=nacre-test \
    XDG_RUNTIME_DIR="$T/xdg" PATH="$PATH" NACRE_CGROUP_PARENT="$NACRE_CGROUP_PARENT" PODMAN_IGNORE_CGROUPSV1_WARNING=1 "$@")
}
pod() { as_user podman --runtime "$runtime" "$@"; }
prun() { pod run --network none --cgroups "$cgroups" "$@"; }
# inside SCRIPT…: in the user's own user namespace, where he can mount.
inside() { as_user podman unshare sh -ec "$@"; }
engine_clean() {
  as_user buildah rm --all >/dev/null 2>&1 || true
  pod rm --all --force >/dev/null 2>&1 || true
  pod rmi --all --force >/dev/null 2>&1 || true
  # podman keeps a process, and so its namespaces, until the user logs out.
  for file in "$T/xdg/libpod/tmp/pause.pid" "$T/xdg/libpod/pause.pid"; do
    [ -s "$file" ] && kill "$(cat "$file")" 2>/dev/null
  done
  unmount_all
}
trap engine_clean EXIT

as_user unshare --user true 2>"$T/err" || skip "an ordinary user may not make user namespaces: $(cat "$T/err")"
as_user podman unshare true 2>"$T/err" || skip "no rootless podman here: $(tail -n 1 "$T/err")"
# runc needs no cgroup where none can be had, crun has to be told so.
pick() {
  for runtime in runc crun; do
    command -v "$runtime" >/dev/null || continue
    for cgroups in enabled disabled; do
      pod --root "$T/home/plain" --runroot "$T/xdg/plain" --storage-driver vfs run --rm --network none --cgroups "$cgroups" \
        --rootfs "$T/rootfs" true >"$T/runtime.$runtime" 2>&1 && return 0
    done
  done
  return 1
}
chown -R "$id:$id" "$T/rootfs"
pick || skip "podman runs no container here: $(tail -n 1 "$T"/runtime.*)"
chown -R 0:0 "$T/rootfs"

# image_tree IMAGE: the lines of tree.py for it as the user's root sees it, in $T/got.
image_tree() {
  # shellcheck disable=SC2016 # for the shell inside
  inside 'mounted=$(podman image mount "$1"); grep -q " $mounted .* - fuse.nacre-fs " /proc/self/mountinfo
    python3 tree.py "$mounted"; podman image umount "$1" >/dev/null' sh "$1" >"$T/got"
}

tar -C "$T/rootfs" -c . | pod import - box >/dev/null 2>"$T/err" || fail "podman import: $(tail -n 1 "$T/err")"
equal "the store" "$(pod info --format '{{.Store.GraphRoot}}')" "$store"
equal "the root" "$(prun --rm box sh -c "$root_type; id -u; cat /etc/hello")" "$(printf 'fuse.nacre-fs\n0\nhello')"
equal "a container" "$(prun --rm --user 1000:1000 box sh -c 'id -u; echo mine >/tmp/x; stat -c %u:%g /tmp/x; echo x 2>/dev/null >/etc/hello || echo refused')" "$(printf '1000\n1000:1000\nrefused')"
# Other user namespaces: the layers are shared, and the mount shows the files as the container's.
for map in "--uidmap 0:1:2000 --gidmap 0:1:2000" --userns=keep-id; do
  # shellcheck disable=SC2086 # two options
  equal "podman run $map" "$(prun --rm $map --user 0:0 box sh -c 'echo x >/x; chown 7:8 /x; stat -c %u:%g /x /etc/hello /bin; echo y >>/etc/hello; cat /etc/hello' 2>&1)" "$(printf '7:8\n0:0\n0:0\nhello\ny')"
done

# Everything a container can change is listed, in a form that the kernel reads, and exported.
prun --name one box sh -ec "$container_changes"
equal "podman diff" "$(pod diff one | changes)" "$container_changed"
store_is_native "$store"
layer=$(dirname "$(pod inspect --format '{{.GraphDriver.Data.UpperDir}}' one)")
[ -c "$layer/diff/var/lib" ] || fail "what was removed is not a device node in the upper layer"
equal "the owner on disk" "$(stat -c %u:%g "$layer/diff/etc/hello" "$layer/diff/data")" "$(printf '1000004:1000005\n%s' "$id:$id")"
mkdir "$T/export"
pod export --output "$T/home/one.tar" one
tar -C "$T/export" -xf "$T/home/one.tar"
tree "$T/export" | shown_with_times >"$T/one.tree"
# shellcheck disable=SC2016
container_tree='mounted=$(podman mount one); grep " $mounted " /proc/self/mountinfo | sed "s/.* - \([^ ]*\) .*/\1/" >&2
  python3 tree.py "$mounted"; podman umount one >/dev/null'
inside "$container_tree" 2>"$T/type" | shown_with_times >"$T/got"
grep -qx fuse.nacre-fs "$T/type" || fail "nacre-fs is not used: $(cat "$T/type")"
same_tree "podman export" "$T/one.tree" "$T/got"
# The kernel's own overlayfs, with the attributes that an ordinary user may set.
if inside 'cd && mkdir o && cd o && mkdir l u w m && mount -t overlay -o userxattr,lowerdir=l,upperdir=u,workdir=w overlay m && umount m' 2>/dev/null; then
  mv "$T/home/.config/containers/storage.conf" "$T/storage.conf"
  grep -v mount_program "$T/storage.conf" >"$T/home/.config/containers/storage.conf"
  rm "$store/overlay/.has-mount-program"
  inside "$container_tree" 2>"$T/type" | shown_with_times >"$T/got"
  grep -qx overlay "$T/type" || fail "kernel overlayfs is not used: $(cat "$T/type")"
  same_tree "the container with kernel overlayfs" "$T/got" "$T/one.tree"
  mv "$T/storage.conf" "$T/home/.config/containers/storage.conf"
fi
pod commit -q one derived >/dev/null 2>"$T/err" || fail "podman commit: $(cat "$T/err")"
pod rm one >/dev/null
image_tree derived
shown_with_times <"$T/got" >"$T/got2"
same_tree "the committed image" "$T/got2" "$T/one.tree"

# The same as kernel overlayfs of an ordinary user, whatever is done to it.
cp "$TESTS/fs_fuzz.py" "$T/fs_fuzz.py"
mkdir "$T/home/fuzz"
chown "$id:$id" "$T/home/fuzz"
# shellcheck disable=SC2016
inside 'mount -t tmpfs none "$HOME/fuzz"; cd "$HOME/fuzz"; PATH=$1/bin:$PATH python3 "$1/fs_fuzz.py" 1 10; cd; umount "$HOME/fuzz"' sh "$T" >"$T/out" 2>&1 ||
  fail "$(tail -n 20 "$T/out")"
grep 'no difference' "$T/out"

# Killed at every step, it leaves the old state or the new one.
cp "$TESTS/fs_faults.py" "$T/fs_faults.py"
if as_user strace -o /dev/null true 2>/dev/null; then
  # shellcheck disable=SC2016
  inside 'mount -t tmpfs none "$HOME/fuzz"; cd "$HOME/fuzz"; PATH=$1/bin:$PATH python3 "$1/fs_faults.py" kill; cd; umount "$HOME/fuzz"' sh "$T" >"$T/out" 2>&1 ||
    fail "$(tail -n 20 "$T/out")"
  grep trials "$T/out"
else
  echo "not tested: faults: strace may not trace here"
fi

# A layer that is added to a mount.
# shellcheck disable=SC2016
equal "an added layer" "$(inside 'cd && mkdir lower upper work mnt more && echo more >more/file
  "$1/bin/nacre-fs" -o lowerdir=lower,upperdir=upper,workdir=work mnt
  "$1/bin/nacre-fs" --reload -o lowerdir=more mnt && cat mnt/file; umount mnt' sh "$T" 2>&1)" more

# A build of many layers does what the same commands do to a plain directory.
build_context box
as_user buildah bud --quiet --layers --isolation rootless --runtime "$runtime" --network none --tag layered "$T/context" >"$T/out" 2>"$T/err" ||
  fail "buildah bud: $(tail -n 5 "$T/out" "$T/err")"
pod build --quiet --layers=false --isolation rootless --network none --tag squashed "$T/context" >"$T/out" 2>"$T/err" || fail "podman build: $(tail -n 5 "$T/out" "$T/err")"
images_match_model layered squashed
equal "the diff of the last layer" "$(pod diff layered | changes)" "$last_step_changes"

pod rmi --all --force >/dev/null
left=$(find "$store/overlay" -mindepth 1 -maxdepth 1 -type d ! -name l)
[ -z "$left" ] || fail "layers are left: $left"
engine_clean
no_server
