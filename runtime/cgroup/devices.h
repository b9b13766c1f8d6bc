// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/bpf.h>

#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/spec/spec.h"

// Which device nodes a container may use (runtime-spec config-linux.md "Device allowed list").
//
// Rules are an ordered list over a state in which everything is denied. For each of read, write
// and mknod, the last rule that names the device and the access decides: a request is granted when
// every access it wants is. So "allow c 1:3 rwm, deny c 1:3 w" refuses O_RDWR, and separate
// allowances of r and w add up to rw.
namespace nacre::runtime::devices {

// What every container can do besides its own rules: make any node (using it is another matter),
// and use null, zero, full, tty, random, urandom, console, ptmx, pts and tun.
const std::vector<spec::DeviceRule>& default_rules();

// `rules` with the defaults behind them, checked: an error names the rule that makes no sense.
Result<std::vector<spec::DeviceRule>> complete(const std::vector<spec::DeviceRule>& rules);

// "allow c 1:3 rwm"
std::string describe(const spec::DeviceRule& rule);

// One write to devices.allow or devices.deny of cgroup v1.
struct V1Write {
  bool allow = false;
  std::string text;
  bool operator==(const V1Write&) const = default;
};
// v1 keeps exceptions to one default; a rule that takes a part out of a wider exception has no form
// there and is an error, because the kernel would ignore it silently.
Result<std::vector<V1Write>> v1_writes(const std::vector<spec::DeviceRule>& rules);

// The program of type BPF_PROG_TYPE_CGROUP_DEVICE that decides as above.
std::vector<bpf_insn> v2_program(const std::vector<spec::DeviceRule>& rules);
// Loads the program and attaches it to the cgroup at `directory`, in place of the one that an
// earlier call attached there, without a moment in between that allows more.
Result<> attach(const std::string& directory, const std::vector<bpf_insn>& program);

}  // namespace nacre::runtime::devices
