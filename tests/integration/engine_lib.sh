# SPDX-License-Identifier: Apache-2.0
# Container engines that use nacre-fs as the snippets in packaging/ tell them to. Source after
# lib.sh and fs_lib.sh.
. "$TESTS/containers_conf.sh"
packaging=$TESTS/../../packaging

# needs COMMAND…: or the test is skipped.
needs() {
  for command in "$@"; do command -v "$command" >/dev/null || skip "$command is not installed"; done
}

# needs_snippet NAME…: these files of packaging/.
needs_snippet() {
  for name in "$@"; do [ -f "$packaging/$name" ] || skip "packaging/$name is not here"; done
}

# What engines keep in places that no option moves (states of runtimes, caches, locks) goes with this
# test's mount namespace.
for folder in /run /var/lib /etc/cni; do
  [ ! -d $folder ] || mount -t tmpfs -o mode=755 nacre-test $folder
done

# snippet NAME [FROM TO]…: the file with paths replaced, and every one of them is in it.
snippet() {
  cp "$packaging/$1" "$T/snippet"
  shift
  while [ $# -gt 0 ]; do
    grep -v '^#' "$T/snippet" | grep -qF "$1" || fail "a packaging snippet lacks $1"
    sed -i "/^#/!s|$1|$2|g" "$T/snippet"
    shift 2
  done
  cat "$T/snippet"
  rm "$T/snippet"
}

# engine_rootfs: a root file system with busybox in $T/rootfs, and a little to change.
engine_rootfs() {
  mkdir -p "$T/rootfs/bin" "$T/rootfs/etc" "$T/rootfs/tmp"
  cp "$(command -v busybox)" "$T/rootfs/bin/busybox"
  chroot "$T/rootfs" /bin/busybox --install -s /bin || skip "busybox-static is not installed"
  printf 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n' >"$T/rootfs/etc/passwd"
  mkdir -p "$T/rootfs/etc/dir/deep" "$T/rootfs/var/lib" "$T/rootfs/opt/full"
  echo hello >"$T/rootfs/etc/hello"
  echo x >"$T/rootfs/etc/dir/x"
  echo y >"$T/rootfs/etc/dir/deep/y"
  echo full >"$T/rootfs/opt/full/file"
  chmod 4711 "$T/rootfs/etc/hello"
}

# pick_runtime PODMAN…: $runtime becomes the first runtime with which this podman runs a
# container at all, on a plain directory: what fails later is not the machine's fault.
pick_runtime() {
  for runtime in runc crun; do
    command -v "$runtime" >/dev/null || continue
    "$@" --storage-driver vfs --runtime "$runtime" run --rm --network none \
      --rootfs "$T/rootfs" true >"$T/runtime.$runtime" 2>&1 && return 0
  done
  skip "podman runs no container here: $(cat "$T"/runtime.* 2>/dev/null | tail -n 1)"
}

# shown: of the lines of tree.py what does not depend on when it was made, without what engines
# put into a root themselves.
shown() {
  awk '$2 ~ /^0o10/ {$6 = "-"} 1' | grep -Ev '^((dev|proc|sys|run)(/[^ ]*)?|etc/(hosts|hostname|resolv\.conf|mtab)) '
}

# shown_with_times: all lines, the times of files in seconds, as a tar archive has them.
shown_with_times() {
  awk '$2 ~ /^0o10/ {$6 = int($6 / 1e9)} 1'
}

# same_tree WHAT GOT WANTED: two files with lines of tree.py.
same_tree() {
  cmp -s "$2" "$3" || fail "$1: $(diff "$3" "$2" | head -n 20)"
  [ "$(wc -l <"$2")" -gt 20 ] || fail "$1: the tree is nearly empty"
}

# build_context FROM: $T/context/Containerfile, whose layers add, change, remove and replace, and
# $T/model, the plain directory that becomes of $T/rootfs when the same commands run in it.
build_context() {
  cat >"$T/steps" <<'STEPS'
mkdir -p /tree/a/b /tree/c && echo 1 >/tree/a/b/f && echo 2 >/tree/c/f && echo 3 >/tree/file && ln -s file /tree/link && echo gone >/gone
rm /gone /etc/hello && rm -r /tree/c && echo changed >>/tree/a/b/f
rm -r /tree/a && echo now a file >/tree/a && rm /tree/file && mkdir /tree/file && echo inside >/tree/file/x
rm -r /app && mkdir /app && echo fresh >/app/only && rm -r /etc/dir && ln -s /tree/file /etc/dir
mv /app /moved && mkdir /app && chown -R 7:8 /tree && chmod 2750 /tree/file && ln /tree/a /linked && mkfifo /moved/pipe
rm -r /opt/full && mkdir -p /opt/full/file/deeper && echo again >/gone && mv /opt /opt2 && ln -s opt2 /opt && chmod 1777 /moved
rm /opt && mv /opt2 /opt && rm -r /opt/full/file && echo back >/opt/full/file && rm /tree/link && mkdir /tree/link
STEPS
  mkdir -p "$T/context/files/sub" "$T/model"
  echo one >"$T/context/files/one"
  echo two >"$T/context/files/sub/two"
  {
    printf 'FROM %s\nCOPY files /app\n' "$1"
    sed 's/^/RUN /' "$T/steps"
  } >"$T/context/Containerfile"
  cp -a "$T/rootfs/." "$T/model"
  cp -a "$T/context/files" "$T/model/app"
  while read -r step; do chroot "$T/model" /bin/sh -ec "$step"; done <"$T/steps"
  tree "$T/model" | shown >"$T/model.tree"
}
# What the last of these steps changed.
# shellcheck disable=SC2034 # for the tests
last_step_changes='C /opt;A /opt/full;A /opt/full/file;D /opt2;C /tree;C /tree/link;'

# Every kind of change that a container can make to its root, and what is then listed.
# shellcheck disable=SC2034 # for the tests
container_changes='
  echo data >/data; ln /data /hard; ln -s /data /soft; chmod 4755 /data; mkfifo /fifo
  chown 5:6 /etc/hello
  rm -r /etc/dir/deep; echo file >/etc/dir/deep
  rm /etc/dir/x; mkdir /etc/dir/x; echo z >/etc/dir/x/z
  rm -r /opt/full; mkdir /opt/full; echo other >/opt/full/other
  rmdir /var/lib'
# shellcheck disable=SC2034
container_changed='A /data;C /etc;C /etc/dir;C /etc/dir/deep;C /etc/dir/x;A /etc/dir/x/z;C /etc/hello;A /fifo;A /hard;C /opt;C /opt/full;D /opt/full/file;A /opt/full/other;A /soft;C /var;D /var/lib;'

# changes: the lines of `podman diff` or `buildah diff`, in one order.
changes() {
  LC_ALL=C sort -k 2 | tr '\n' ';'
}

# store_is_native DIRECTORY: no file here is in the forms that only fuse-overlayfs understands.
store_is_native() {
  [ -d "$1" ] || fail "no directory $1"
  found=$(find "$1" -name '.wh.*')
  [ -z "$found" ] || fail "files that kernel overlayfs shows as they are: $found"
  found=$(getfattr -R -P -h -m '^(user|security|trusted)\.(fuseoverlayfs|containers)' "$1" 2>/dev/null)
  [ -z "$found" ] || fail "attributes that kernel overlayfs does not know: $found"
}

# no_server: no nacre-fs with a folder of this test is left.
no_server() {
  for pid in /proc/[0-9]*; do
    ! { tr '\0' ' ' <"$pid/cmdline" | grep -q "^[^ ]*nacre-fs .*$T/"; } 2>/dev/null || fail "a server is left: $(tr '\0' ' ' <"$pid/cmdline")"
  done
}

# root_type: run in a container, the type of its root. For `podman run IMAGE sh -c "$root_type"`.
# shellcheck disable=SC2034 # for the tests
root_type='grep " / / " /proc/self/mountinfo | sed "s/.* - \([^ ]*\) .*/\1/"'

# unmount_all: what a failed test leaves mounted below $T, the newest first, and the test's cgroups.
unmount_all() {
  awk -v t="$T/" 'index($5, t) == 1 {print $5}' /proc/self/mountinfo | tac | while read -r mount; do umount "$mount" 2>/dev/null || umount -l "$mount"; done
  find /sys/fs/cgroup -depth -type d -path "*$NACRE_CGROUP_PARENT*" -exec rmdir {} \; 2>/dev/null || true
}

# images_match_model IMAGE…: each as the same commands made it in a plain directory ($T/model.tree). Of
# the test: image_tree IMAGE.
images_match_model() {
  for image in "$@"; do
    image_tree "$image"
    shown <"$T/got" >"$T/got2"
    same_tree "image $image" "$T/got2" "$T/model.tree"
  done
}
