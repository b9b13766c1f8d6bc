# SPDX-License-Identifier: Apache-2.0
# podman with nacre-runtime in the place of runc.
. "$TESTS/runtime_lib.sh"
. "$TESTS/podman_lib.sh"

make_rootfs
podman_setup vfs
podman_import box

equal "output" "$(prun box echo hello)" hello
exits 9 pod run --rm --network none --cgroup-parent "$NACRE_CGROUP_PARENT/podman" box sh -c 'exit 9'
exits 127 pod run --rm --network none --cgroup-parent "$NACRE_CGROUP_PARENT/podman" box nonsense
exits 126 pod run --rm --network none --cgroup-parent "$NACRE_CGROUP_PARENT/podman" box /etc/passwd
equal "memory limit" "$(prun --memory 64m box sh -c 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max')" 67108864
equal "user, directory, environment" "$(prun --user 1000:1000 --workdir /tmp --env A=b box sh -c 'echo $(id -u) $(pwd) $A')" "1000 /tmp b"
mkdir "$T/volume"
echo data >"$T/volume/file"
equal "volume" "$(prun --volume "$T/volume:/v:ro" box sh -c 'cat /v/file; echo x >/v/file || echo refused' 2>/dev/null)" "$(printf 'data\nrefused')"
equal "read-only root" "$(prun --read-only box sh -c 'echo x >/x || echo refused; echo y >/tmp/y && cat /tmp/y' 2>/dev/null)" "$(printf 'refused\ny')"
equal "privileged" "$(prun --privileged box sh -c 'mount -t tmpfs none /tmp && echo mounted')" mounted
equal "terminal" "$(prun --tty box tty | tr -d '\r')" /dev/pts/0
equal "stdin" "$(echo through | prun --interactive box cat)" through

# detached: exec, pause, stop, logs, rm
pod run --detach --name one --network none --cgroup-parent "$NACRE_CGROUP_PARENT/podman" box sh -c 'echo started; exec sleep 1000' >/dev/null
equal "exec" "$(pod exec one echo inside)" inside
exits 5 pod exec one sh -c 'exit 5'
exits 127 pod exec one nonsense
equal "exec with a terminal" "$(pod exec --tty one tty | tr -d '\r')" /dev/pts/0
pod pause one >/dev/null
equal "paused" "$(pod inspect --format '{{.State.Status}}' one)" paused
pod unpause one >/dev/null
eventually "logs" sh -c "podman logs one | grep started"
pod top one pid >/dev/null || fail "podman top"
pod stop --time 0 one >/dev/null 2>&1
equal "exit code of a killed one" "$(pod wait one)" 137
pod rm one >/dev/null
pod rm --all --force >/dev/null 2>&1 || true
[ -z "$(ls -A /run/nacre-runtime 2>/dev/null)" ] || fail "state is left: $(ls /run/nacre-runtime)"
podman_clean
