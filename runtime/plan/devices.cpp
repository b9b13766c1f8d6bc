// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>

#include "runtime/plan/builder.h"
#include "runtime/spec/validate.h"

namespace nacre::runtime::plan {
namespace {

struct Standard {
  const char* path;
  unsigned major, minor;
};
// runtime-spec config-linux.md "Default Devices".
constexpr std::array kStandard{Standard{"/dev/null", 1, 3},    Standard{"/dev/zero", 1, 5},
                               Standard{"/dev/full", 1, 7},    Standard{"/dev/random", 1, 8},
                               Standard{"/dev/urandom", 1, 9}, Standard{"/dev/tty", 5, 0}};

mode_t type_of(const spec::Device& device) {
  if (device.type == "b") return S_IFBLK;
  if (device.type == "p") return S_IFIFO;
  return S_IFCHR;
}

MakeDevice from_spec(const spec::Device& device, bool bind) {
  return {.target = clean_path(device.path),
          .mode = type_of(device) | (device.file_mode.value_or(0666) & 07777),
          .device = ::makedev(static_cast<unsigned>(device.major), static_cast<unsigned>(device.minor)),
          .uid = device.uid.value_or(0),
          .gid = device.gid.value_or(0),
          .bind = bind && device.type != "p"};
}

// The host's own /dev, bound into the container, is left as it is.
bool owns_dev(const spec::Spec& spec) {
  return std::ranges::none_of(spec.mounts, [](const spec::Mount& mount) {
    return clean_path(mount.destination) == "/dev" &&
           (mount.type == "bind" ||
            std::ranges::any_of(mount.options, [](const auto& o) { return o == "bind" || o == "rbind"; }));
  });
}

}  // namespace

void plan_devices(const spec::Spec& spec, Plan& plan) {
  const bool terminal = spec.process && spec.process->terminal;
  if (owns_dev(spec)) {
    // A user namespace may not make device nodes.
    const bool bind = spec::has_namespace(spec, "user");
    for (const auto& one : kStandard) {
      const bool replaced = std::ranges::any_of(
          spec.linux_.devices, [&](const auto& d) { return clean_path(d.path) == one.path; });
      if (!replaced)
        plan.steps.push_back(MakeDevice{.target = one.path,
                                        .mode = S_IFCHR | 0666,
                                        .device = ::makedev(one.major, one.minor),
                                        .bind = bind});
    }
    for (const auto& device : spec.linux_.devices) plan.steps.push_back(from_spec(device, bind));
    plan.steps.push_back(MakeSymlink{"/dev/fd", "/proc/self/fd"});
    plan.steps.push_back(MakeSymlink{"/dev/stdin", "/proc/self/fd/0"});
    plan.steps.push_back(MakeSymlink{"/dev/stdout", "/proc/self/fd/1"});
    plan.steps.push_back(MakeSymlink{"/dev/stderr", "/proc/self/fd/2"});
    plan.steps.push_back(MakeSymlink{"/dev/core", "/proc/kcore"});
    plan.steps.push_back(MakeSymlink{"/dev/ptmx", "pts/ptmx"});
  }
  if (terminal)
    plan.steps.push_back(
        OpenTerminal{spec.process->console_height, spec.process->console_width, spec.process->user.uid});
}

}  // namespace nacre::runtime::plan
