# SPDX-License-Identifier: Apache-2.0
# Containers in a container: the view keeps nobody from mounting a proc of their own, and podman runs in there.
. "$TESTS/lib.sh"
trap 'nacre rm --force --all >/dev/null 2>&1 || true' EXIT
# Process 1 finds itself in its own proc alone.
# shellcheck disable=SC2016 # the container's shell
own='read -r pid _ </proc/self/stat; [ "$pid" = $$ ] && [ $$ = 1 ] && echo own'
nested="unshare -Urmpf --mount-proc sh -c '$own'; awk '/^MemTotal:/ {print \$2}' /proc/meminfo"

[ "$(cat /proc/sys/kernel/apparmor_restrict_unprivileged_userns 2>/dev/null || echo 0)" = 0 ] || skip "AppArmor restricts user namespaces here"
# The kernel wants to see all of one proc before it makes another in a user namespace.
exits 0 nacre run --rm --memory 64m --nesting busybox sh -c "$nested"
equal "the inner one's proc, the outer one's memory" "$(xargs <"$T/out")" "own 65536"
exits 0 nacre run --rm --memory 64m busybox sh -c "$nested"
grep -q 'not permitted' "$T/err" || fail "without --nesting: $(cat "$T/err")"
equal "without --nesting" "$(xargs <"$T/out")" 65536

# podman as a user without rights, with what it needs of this machine's files.
for program in podman crun newuidmap newgidmap; do
  command -v $program >/dev/null || skip "$program is not installed"
done
conmon=$(command -v conmon) || conmon=$(find /usr/lib/podman /usr/libexec/podman -name conmon 2>/dev/null | head -n 1)
[ -n "$conmon" ] || skip "conmon is not installed"
root=$T/root
copy() { # FILE: with its libraries
  for file in "$1" $(ldd "$1" 2>/dev/null | grep -o '/[^ ]*'); do
    [ -e "$root$file" ] || { mkdir -p "$root$(dirname "$file")" && cp -L --preserve=mode,xattr "$file" "$root$file"; }
  done
}
mkdir -p "$root/bin" "$root/etc/containers" "$root/tmp" "$root/root" "$root/hooks" "$root/box/bin" "$root/box/proc" "$root/box/sys" "$root/box/dev" "$root/box/etc"
for program in podman crun newuidmap newgidmap; do copy "$(command -v $program)"; done
copy "$conmon"
# podman 5 does not start without it, though it has no network to make.
[ ! -e /usr/lib/podman/netavark ] || copy /usr/lib/podman/netavark
copy "$BIN/nacre"
cp "$(command -v busybox)" "$root/bin/busybox"
cp "$(command -v busybox)" "$root/box/bin/busybox"
ln -s busybox "$root/bin/sh"
printf 'root:x:0:0:root:/root:/bin/sh\n' >"$root/etc/passwd"
printf 'root:100000:65536\n' | tee "$root/etc/subuid" >"$root/etc/subgid"
printf '{"default": [{"type": "insecureAcceptAnything"}]}\n' >"$root/etc/containers/policy.json"
printf '[storage]\ndriver = "vfs"\nrunroot = "/tmp/run"\ngraphroot = "/tmp/graph"\n' >"$root/etc/containers/storage.conf"
# No keyrings in a container, and no limits that it has no right to.
printf '[containers]\nkeyring = false\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n[engine]\ncgroup_manager = "cgroupfs"\nruntime = "crun"\n' \
  >"$root/etc/containers/containers.conf"
sed "s|/usr/bin/nacre|$BIN/nacre|" "$TESTS/../../packaging/oci-hook.json" >"$root/hooks/nacre.json"

inner() { # OPTIONS OF PODMAN…
  nacre run --rm --memory 256m --nesting -e XDG_RUNTIME_DIR=/tmp "$root" podman "$@" run --rm --cgroups=disabled --network none \
    --rootfs /box busybox sh -c "$own"'; awk "/^MemTotal:/ {print \$2}" /proc/meminfo; free | awk "/^Mem:/ {print \$2}"'
}
machine=$(awk '/^MemTotal:/ {print $2}' /proc/meminfo)
inner >"$T/out" 2>"$T/err" || fail "podman in a container: $(cat "$T/err")"
# Its proc is its own, without a view.
equal "podman in a container" "$(sed -n 1,2p "$T/out" | xargs)" "own $machine"
# With nacre's hook in there it has the outer one's view.
inner --hooks-dir /hooks >"$T/out" 2>"$T/err" || fail "podman in a container, with the hook: $(cat "$T/err")"
equal "podman in a container, with the hook" "$(xargs <"$T/out")" "own 262144 262144"
