// SPDX-License-Identifier: Apache-2.0
#pragma once

// The annotations of a container that are about its view of /proc and /sys; nacre-runtime(1) says what they
// do.
namespace nacre::runtime {

inline constexpr const char* kViewAnnotation = "org.nacre.view";
inline constexpr const char* kViewCgroupAnnotation = "org.nacre.view.cgroup";
inline constexpr const char* kAffinityAnnotation = "org.nacre.affinity";
inline constexpr const char* kCpusAnnotation = "org.nacre.cpus";
// "on": the container may hold containers with user namespaces of their own. The kernel mounts a new proc or
// sysfs there only where the container has one that nothing covers (fs/namespace.c, mnt_already_visible()),
// which the view spoils; so it gets another one of each, as LXC does.
inline constexpr const char* kNestingAnnotation = "org.nacre.nesting";
// The directory of these: "proc" and "sys".
inline constexpr const char* kUncovered = "/dev/.nacre";

}  // namespace nacre::runtime
