// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "base/cgroup/hierarchy.h"
#include "base/result.h"
#include "base/sys/mount.h"
#include "runtime/spec/spec.h"

// What the container's first process will do before it drops its rights, in order. make_plan()
// computes it and touches nothing; perform() (plan/perform.h) carries it out and decides nothing.
// Paths called `target` are paths inside the container and are resolved below its root only.
namespace nacre::runtime::plan {

// A namespace to join that exists already: opened by the parent, in this order.
struct JoinNamespace {
  std::string type;  // as in the specification
  std::string path;
};

// Something of the host to appear in the container: cloned by the parent into a detached mount,
// because the child may have lost the right to reach it.
struct Source {
  std::string path;
  bool recursive = false;
};

struct EnterNamespace {
  std::size_t index = 0;
  std::string type;
};  // of Plan::joins
struct NewCgroupNamespace {};
struct NewTimeNamespace {
  std::map<std::string, spec::TimeOffset> offsets;
};
struct LoopbackUp {};
struct SetHostname {
  std::string name;
};
struct SetDomainname {
  std::string name;
};
struct WriteSysctl {
  std::string path, value;
};  // path below /proc/sys
// No mount or unmount of ours reaches the host.
struct SetTreePropagation {
  std::uint64_t propagation = 0;
};
// The root mount onto a directory of the host, seen by this mount namespace only.
struct AttachRoot {
  std::string at;
};
struct MountFilesystem {
  std::string type, target;
  std::vector<sys::FsParameter> parameters;
  std::uint64_t attributes = 0;  // MOUNT_ATTR_*
  std::uint64_t propagation = 0;
  bool real_directory = false;  // no symlink on the way: proc and sysfs (CVE-2019-19921)
  bool copy_up = false;
  std::size_t fallback = SIZE_MAX;  // a source to bind where the kernel refuses a new mount (EPERM)
};
struct BindMount {
  std::size_t source = 0;
  std::string path, target;  // path: of the source, for people
  std::uint64_t set = 0, clear = 0, set_below = 0, clear_below = 0;
  std::uint64_t propagation = 0;
  bool propagation_below = false;
  bool inside_proc = false;  // the target is one of the files of /proc that may be replaced
};
struct SetReadonly {
  std::string target;
};  // the mount whose root is there
struct MakeDirectory {
  std::string target;
};
struct MakeSymlink {
  std::string target, content;
};
struct MakeDevice {
  std::string target;
  mode_t mode = 0;  // type and permissions
  dev_t device = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  bool bind = false;  // mknod(2) is not allowed: bind the host's node
};
struct OpenTerminal {
  unsigned height = 0, width = 0;
  uid_t uid = 0;
};
struct MaskPath {
  std::string target;
};
struct ReadonlyPath {
  std::string target;
};
// Another instance of a mount, with nothing on it.
struct CloneUncovered {
  std::string from, target;
};
struct AttachView {};
struct ReadonlyRoot {};
// The rest of the host is still reachable here: prestart, createRuntime and createContainer.
struct RunCreateHooks {};
struct EnterRoot {
  bool pivot = true;
};
struct SetRootPropagation {
  std::uint64_t propagation = 0;
  bool below = false;
};

using Step =
    std::variant<EnterNamespace, NewCgroupNamespace, NewTimeNamespace, LoopbackUp, SetHostname, SetDomainname,
                 WriteSysctl, SetTreePropagation, AttachRoot, MountFilesystem, BindMount, SetReadonly,
                 MakeDirectory, MakeSymlink, MakeDevice, OpenTerminal, MaskPath, ReadonlyPath, CloneUncovered,
                 AttachView, ReadonlyRoot, RunCreateHooks, EnterRoot, SetRootPropagation>;

struct Plan {
  std::uint64_t clone_flags = 0;  // CLONE_NEW* for the first process
  std::vector<JoinNamespace> joins;
  std::vector<Source> sources;
  std::vector<Step> steps;
};

// What make_plan() has to know about the machine and the call.
struct HostFacts {
  std::string bundle;       // absolute
  bool root_given = false;  // the caller brings the root as a detached mount
  bool pivot = true;
  std::vector<cgroup::Hierarchy> hierarchies;
  std::string cgroup_path;
};

Result<Plan> make_plan(const spec::Spec& spec, const HostFacts& facts);

// The root directory on the host: root.path, below the bundle when relative.
std::string root_path_of(const spec::Spec& spec, const std::string& bundle);

// One step in words, "mount proc on /proc": what a failing step is called.
std::string describe(const Step& step);
// The step with everything in it, one line; the golden tests compare it.
std::string detail(const Step& step);

}  // namespace nacre::runtime::plan
