# SPDX-License-Identifier: Apache-2.0
# What podman and buildah need on machines like ours. Sourced by podman_lib.sh and engine_lib.sh.

# podman 5 says at each start that it will give up cgroup v1.
export PODMAN_IGNORE_CGROUPSV1_WARNING=1

# engine_conf: a containers.conf for machines without systemd, where hard limits cannot be raised.
engine_conf() {
  cat <<'CONF'
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
log_driver = "k8s-file"
netns = "none"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
CONF
}
