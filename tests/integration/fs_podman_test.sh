# SPDX-License-Identifier: Apache-2.0
# podman with nacre-fs as its mount_program: import, run, build with several layers, commit,
# diff, export, mount, rm.
. "$TESTS/runtime_lib.sh"
. "$TESTS/podman_lib.sh"

make_rootfs
mkdir "$T/rootfs/etc/dir"
echo hello >"$T/rootfs/etc/hello"
echo x >"$T/rootfs/etc/dir/x"
podman_setup overlay "[storage.options.overlay]
mount_program = \"$BIN/nacre-fs\"
mountopt = \"nodev\""
podman_import box
pod info --format '{{.Store.GraphOptions}}' | grep -q nacre-fs || fail "podman does not use nacre-fs: $(pod info --format '{{.Store.GraphOptions}}')"

# A container: its root is ours, what it changes is its own.
prun box grep ' / fuse' /proc/self/mountinfo >"$T/out" || prun box grep fuse /proc/mounts >"$T/out" || fail "the root is not served by nacre-fs"
equal "copy-on-write" "$(prun box sh -c 'echo new >/etc/hello; rm /bin/false; mkdir -p /a/b; mv /etc/hello /a/b/; cat /a/b/hello; ls /bin/false 2>/dev/null')" new
equal "the next container" "$(prun box sh -c 'ls /a 2>/dev/null; echo clean')" clean

# Commit, diff, export.
pod run --name one --network none --cgroup-parent "$NACRE_CGROUP_PARENT/podman" box sh -c 'echo data >/data; rm -r /etc/dir; mkdir /etc/dir; echo y >/etc/dir/y; ln /data /hard; chmod 4755 /data'
changes=$(pod diff one | sort | tr '\n' ' ')
for change in 'A /data' 'A /hard' 'C /etc/dir' 'D /etc/dir/x' 'A /etc/dir/y'; do
  case $changes in *"$change "*) ;; *) fail "podman diff lacks [$change]: $changes" ;; esac
done
pod commit -q one derived >/dev/null 2>"$T/err" || fail "podman commit: $(cat "$T/err")"
equal "the committed image" "$(prun derived sh -c 'cat /data /etc/dir/y; ls /etc/dir; stat -c "%a %h" /hard')" "$(printf 'data\ny\ny\n4755 2')"
pod export one | tar -t | grep -q '^data$' || fail "podman export"
merged=$(pod mount one)
equal "podman mount" "$(cat "$merged/data")" data
pod umount one >/dev/null
pod rm one >/dev/null

# A build of several layers, with things removed in later ones.
mkdir "$T/build"
echo context >"$T/build/file"
cat >"$T/build/Dockerfile" <<'FILE'
FROM box
COPY file /copied
RUN echo one >/one && mkdir -p /tree/deep && echo x >/tree/deep/x
RUN rm /one && rm -r /tree && mkdir /tree && echo again >/tree/again
RUN mv /copied /moved && chown 5:6 /moved && ln -s /moved /link
FILE
pod build --quiet --layers --network none --cgroup-parent "$NACRE_CGROUP_PARENT/build" --tag built "$T/build" >"$T/out" 2>"$T/err" ||
  fail "podman build: $(tail -n 5 "$T/out" "$T/err")"
equal "the built image" "$(prun built sh -c 'cat /link; stat -c %u:%g /moved; find /tree /one /copied 2>/dev/null | sort | tr "\n" " "')" "$(printf 'context\n5:6\n/tree /tree/again ')"

# Nothing that kernel overlayfs could not read was written by us.
! find "$T/podman/overlay" -path '*/diff/*' -name '.wh..wh..opq' | grep . || fail "a sentinel file in the store"
podman_clean
for pid in /proc/[0-9]*; do
  ! tr '\0' ' ' <"$pid/cmdline" 2>/dev/null | grep -q "nacre-fs.*$T/podman" || fail "a server is left: $(tr '\0' ' ' <"$pid/cmdline")"
done

# A store whose files are all the engine's own on disk: owners and modes are in attributes.
chmod 751 "$T/rootfs/etc/hello" # this podman leaves set-id bits out
chown 7:8 "$T/rootfs/etc/hello"
podman_setup overlay "[storage.options.overlay]
mount_program = \"$BIN/nacre-fs\"
force_mask = \"private\""
podman_import masked
hello=$(find "$T/podman/overlay" -path '*/diff/etc/hello')
equal "on disk" "$(stat -c '%a' "$hello")" 700
equal "in a container" "$(prun masked sh -c 'stat -c "%u:%g %a" /etc/hello; echo x >/new; chown 5:6 /new; chmod 2711 /new; stat -c "%u:%g %a" /new')" \
  "$(printf '7:8 751\n5:6 2711')"
pod run --name one --network none --cgroup-parent "$NACRE_CGROUP_PARENT/podman" masked sh -c 'chgrp 9 /etc/hello; chmod 750 /etc/hello'
pod commit -q one derived >/dev/null 2>"$T/err" || fail "podman commit with force_mask: $(cat "$T/err")"
equal "committed" "$(prun derived stat -c '%u:%g %a %F' /etc/hello)" "$(printf '7:9 750 regular file')"
pod rm one >/dev/null
podman_clean
