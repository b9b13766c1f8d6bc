// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "runtime/spec/spec.h"

// What a container gets that asks for nothing in particular: the same as podman's and docker's
// users are used to.
namespace nacre::runtime::spec {

// /proc, /dev, /dev/pts, /dev/shm, /dev/mqueue, /sys (read-only), /sys/fs/cgroup (read-only).
std::vector<Mount> default_mounts();
// Kernel interfaces that say more about the machine than a container should know.
std::vector<std::string> default_masked_paths();
std::vector<std::string> default_readonly_paths();
// The variables that every command expects.
std::vector<std::string> default_environment();

// A complete specification that runs `sh` in the bundle's "rootfs" with namespaces of its own,
// the default capabilities and the default seccomp profile. What `nacre-runtime spec` writes.
Spec default_spec();

}  // namespace nacre::runtime::spec
