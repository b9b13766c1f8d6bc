// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <array>
#include <charconv>
#include <cstdint>

#include "runtime/plan/plan.h"

namespace nacre::runtime::plan {
namespace {

std::string hex(std::uint64_t value) {
  std::array<char, 20> digits;
  const auto [end, error] = std::to_chars(digits.begin(), digits.end(), value, 16);
  return "0x" + std::string(digits.begin(), end);
}

std::string octal(mode_t mode) {
  std::array<char, 12> digits;
  const auto [end, error] = std::to_chars(digits.begin(), digits.end(), mode & 07777, 8);
  return "0" + std::string(digits.begin(), end);
}

void add(std::string& out, const char* name, std::uint64_t value) {
  if (value != 0) out += std::string(" ") + name + "=" + hex(value);
}

struct Describe {
  std::string operator()(const EnterNamespace& s) const { return "join the " + s.type + " namespace"; }
  std::string operator()(const NewCgroupNamespace&) const { return "new cgroup namespace"; }
  std::string operator()(const NewTimeNamespace&) const { return "new time namespace"; }
  std::string operator()(const LoopbackUp&) const { return "bring up the loopback interface"; }
  std::string operator()(const SetHostname& s) const { return "set hostname " + s.name; }
  std::string operator()(const SetDomainname& s) const { return "set domainname " + s.name; }
  std::string operator()(const WriteSysctl& s) const {
    return "write \"" + s.value + "\" to /proc/sys/" + s.path;
  }
  std::string operator()(const SetTreePropagation&) const { return "keep mounts from the host"; }
  std::string operator()(const AttachRoot& s) const { return "attach the root on " + s.at; }
  std::string operator()(const MountFilesystem& s) const { return "mount " + s.type + " on " + s.target; }
  std::string operator()(const BindMount& s) const { return "bind " + s.path + " on " + s.target; }
  std::string operator()(const SetReadonly& s) const { return "make " + s.target + " read-only"; }
  std::string operator()(const MakeDirectory& s) const { return "make directory " + s.target; }
  std::string operator()(const MakeSymlink& s) const { return "link " + s.target + " to " + s.content; }
  std::string operator()(const MakeDevice& s) const { return "make device " + s.target; }
  std::string operator()(const OpenTerminal&) const { return "open a terminal"; }
  std::string operator()(const MaskPath& s) const { return "mask " + s.target; }
  std::string operator()(const ReadonlyPath& s) const { return "make " + s.target + " read-only"; }
  std::string operator()(const CloneUncovered& s) const {
    return "have " + s.from + " uncovered on " + s.target;
  }
  std::string operator()(const AttachView&) const { return "attach the container's view of /proc and /sys"; }
  std::string operator()(const ReadonlyRoot&) const { return "make the root read-only"; }
  std::string operator()(const RunCreateHooks&) const { return "run hooks"; }
  std::string operator()(const EnterRoot& s) const {
    return s.pivot ? "pivot into the root" : "change into the root";
  }
  std::string operator()(const SetRootPropagation&) const { return "set the root's propagation"; }
};

struct Detail {
  std::string operator()(const NewTimeNamespace& s) const {
    std::string out;
    for (const auto& [clock, offset] : s.offsets)
      out += " " + clock + "=" + std::to_string(offset.seconds) + "s+" + std::to_string(offset.nanoseconds) +
             "ns";
    return out;
  }
  std::string operator()(const SetTreePropagation& s) const { return flags(s.propagation, false); }
  std::string operator()(const MountFilesystem& s) const {
    std::string out = flags(s.propagation, false);
    add(out, "attributes", s.attributes);
    for (const auto& [key, value] : s.parameters) out += " " + key + (value.empty() ? "" : "=" + value);
    if (s.real_directory) out += " (no symlinks)";
    if (s.copy_up) out += " (copy up)";
    if (s.fallback != SIZE_MAX) out += " (or bind source " + std::to_string(s.fallback) + ")";
    return out;
  }
  std::string operator()(const BindMount& s) const {
    std::string out = " source " + std::to_string(s.source) + flags(s.propagation, s.propagation_below);
    add(out, "set", s.set);
    add(out, "clear", s.clear);
    add(out, "set-below", s.set_below);
    add(out, "clear-below", s.clear_below);
    if (s.inside_proc) out += " (inside /proc)";
    return out;
  }
  std::string operator()(const MakeDevice& s) const {
    const char* type = S_ISBLK(s.mode) ? "b" : S_ISFIFO(s.mode) ? "p" : "c";
    return std::string(" ") + type + " " + std::to_string(major(s.device)) + ":" +
           std::to_string(minor(s.device)) + " mode " + octal(s.mode) + " owner " + std::to_string(s.uid) +
           ":" + std::to_string(s.gid) + (s.bind ? " (bind)" : "");
  }
  std::string operator()(const OpenTerminal& s) const {
    return " " + std::to_string(s.width) + "x" + std::to_string(s.height) + " owner " + std::to_string(s.uid);
  }
  std::string operator()(const SetRootPropagation& s) const { return flags(s.propagation, s.below); }
  template <typename Other>
  std::string operator()(const Other&) const {
    return {};
  }

  static std::string flags(std::uint64_t propagation, bool below) {
    std::string out;
    add(out, "propagation", propagation);
    return out + (below && propagation != 0 ? " recursive" : "");
  }
};

}  // namespace

std::string describe(const Step& step) { return std::visit(Describe{}, step); }

std::string detail(const Step& step) { return describe(step) + std::visit(Detail{}, step); }

}  // namespace nacre::runtime::plan
