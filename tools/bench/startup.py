#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""startup.py BIN [ROUNDS]: from the command line to the exit of `true` in a container. One bundle
with nacre-runtime, crun and runc; one image of busybox with nacre and podman. BIN is a build's
bin folder."""

import json
import os
import shutil
import subprocess
import sys
import time

import common

CGROUP = f"/nacre-bench.{os.getpid()}"


def timed(command, environment=None):
    """A function that runs the command once and returns nanoseconds; {} becomes a fresh number."""
    number = [0]

    def once():
        number[0] += 1
        words = [word.replace("{}", str(number[0])) for word in command]
        start = time.perf_counter_ns()
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              env=environment, check=False)
        spent = time.perf_counter_ns() - start
        if done.returncode != 0:
            sys.exit(f"{' '.join(words)}: exit status {done.returncode}\n{done.stderr.decode(errors='replace')}")
        return spent

    return once


def busybox_tree(path):
    os.makedirs(f"{path}/bin")
    for name in ("proc", "sys", "dev", "tmp", "etc"):
        os.mkdir(f"{path}/{name}")
    shutil.copy(shutil.which("busybox"), f"{path}/bin/busybox")
    for name in ("sh", "true"):
        os.symlink("busybox", f"{path}/bin/{name}")


def make_bundle(path):
    """What `crun spec` writes, for `true` without a terminal and in a cgroup of our own."""
    busybox_tree(f"{path}/rootfs")
    common.run(["crun", "spec"], cwd=path)
    with open(f"{path}/config.json", encoding="utf-8") as file:
        config = json.load(file)
    config["process"].update(args=["/bin/true"], terminal=False)
    # crun's own example asks for ambient capabilities that the kernel cannot grant.
    config["process"]["capabilities"]["ambient"] = []
    config["linux"]["cgroupsPath"] = f"{CGROUP}/bundle"
    config["root"]["readonly"] = True
    with open(f"{path}/config.json", "w", encoding="utf-8") as file:
        json.dump(config, file)


def podman(box, runtime):
    """A podman with everything of its own under the scratch directory, and the image imported."""
    config = f"{box}/containers.conf"
    with open(config, "w", encoding="utf-8") as file:
        file.write('[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n'
                   'log_driver = "none"\n[engine]\nevents_logger = "none"\ncgroup_manager = "cgroupfs"\nlock_type = "file"\n')
    storage = f"{box}/storage.conf"
    with open(storage, "w", encoding="utf-8") as file:
        file.write(f'[storage]\ndriver = "overlay"\nrunroot = "{box}/runroot"\ngraphroot = "{box}/graph"\n')
    environment = {**os.environ, "CONTAINERS_CONF": config, "CONTAINERS_STORAGE_CONF": storage,
                   "XDG_RUNTIME_DIR": f"{box}/xdg", "TMPDIR": f"{box}"}
    os.makedirs(f"{box}/xdg", exist_ok=True)
    base = ["podman", "--root", f"{box}/graph", "--runroot", f"{box}/runroot", "--tmpdir", f"{box}/podman-tmp",
            "--runtime", runtime]
    return base, environment


def leave_v2_of_hybrid():
    """crun refuses cgroups of both versions. In this mount namespace only, v2 goes."""
    unified = "/sys/fs/cgroup/unified"
    if os.path.ismount(unified):
        common.run(["umount", "-l", unified])
        return "cgroup v1 (the v2 mount beside it detached for all)"
    return "cgroups as they are"


def stop_nacre_procfs(directory):
    try:
        with open(f"{directory}/pid", encoding="ascii") as file:
            os.kill(int(file.read()), 15)
    except (OSError, ValueError):
        return
    for _ in range(50):
        if not os.path.exists(f"{directory}/pid"):
            return
        time.sleep(0.1)


def main():
    folder = common.prepare(__doc__)
    box = common.SCRATCH
    runtime, nacre = common.program(folder, "nacre-runtime"), common.program(folder, "nacre")
    mode = leave_v2_of_hybrid()
    common.hide("/run", "/dev/shm", "/var/lib/containers")
    count = common.rounds(40)
    bundle = f"{box}/bundle"
    os.mkdir(bundle)
    make_bundle(bundle)
    versions = [common.version(["crun", "--version"]), common.version(["runc", "--version"]),
                common.version(["podman", "--version"]), mode]

    contenders = {name: timed([name, "--root", f"{box}/{name}", "run", "-b", bundle, "bench-{}"]) for name in ("crun", "runc")}
    if runtime:
        contenders = {"nacre-runtime": timed([runtime, "--root", f"{box}/nacre-runtime", "run", "-b", bundle, "bench-{}"]),
                      **contenders}
    base, environment = podman(box, shutil.which("crun"))
    common.run(["tar", "-C", f"{bundle}/rootfs", "-cf", f"{box}/image.tar", "."])
    common.run([*base, "import", f"{box}/image.tar", "nacre-bench"], env=environment)
    images = {"podman (crun)": timed([*base, "run", "--rm", "--network", "none", "nacre-bench", "true"], environment)}
    own = {**os.environ, "NACRE_STATE_DIR": f"{box}/state", "NACRE_DATA_DIR": f"{box}/data",
           "NACRE_PROCFS_DIR": f"{box}/procfs", "NACRE_CGROUP_PARENT": CGROUP,
           "PATH": f"{folder}:{os.environ['PATH']}"}
    if nacre:
        images = {"nacre": timed([nacre, "run", "--rm", "busybox", "true"], own), **images}
    try:
        for once in [*contenders.values(), *images.values()]:
            once()
        one_bundle = common.interleave(contenders, count)
        one_image = common.interleave(images, max(count // 2, 5))
    finally:
        stop_nacre_procfs(own["NACRE_PROCFS_DIR"])
        subprocess.run(["find", "/sys/fs/cgroup", "-depth", "-type", "d", "-path", f"*{CGROUP}*",
                        "-exec", "rmdir", "{}", ";"], stderr=subprocess.DEVNULL, check=False)

    common.headline("Start-up", versions)
    common.table("one bundle", {"run of `true`": one_bundle}, list(contenders), "nacre-runtime" if runtime else "crun")
    common.table("one image", {"run --rm busybox true": one_image}, list(images), "nacre" if nacre else "podman (crun)")


main()
