// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/spec/spec.h"

// From the limits of a config.json to writes into cgroup files. Pure: nothing is touched here.
namespace nacre::runtime {

// One write. They are carried out in order.
struct Setting {
  std::string limit;       // how people call it: "memory limit 268435456"
  std::string controller;  // where the file is: "memory", "blkio", "io" …; empty: the v2 hierarchy
  std::string file{}, value{};
  std::string fix{};      // what to do when the kernel refuses the value; may be empty
  bool optional = false;  // nothing is lost when the kernel lacks the file
  // The kernel may refuse the value only because a later setting is not there yet (a period that
  // does not fit the old quota): worth a second try at the end.
  bool depends_on_later = false;

  bool operator==(const Setting&) const = default;
};

// What settings depend on.
struct CgroupFacts {
  // Whether a controller is on v2 (true) or v1 (false); nothing when this machine lacks it.
  std::function<std::optional<bool>(std::string_view controller)> on_v2;
  // The text of a file of the cgroup, trimmed; nothing when the kernel lacks it.
  std::function<std::optional<std::string>(std::string_view controller, std::string_view file)> read;
};

// The least memory that a process of a container can start in. The kernel would accept less and
// kill whatever enters.
inline constexpr std::int64_t kMinimumMemory = 512 * 1024;

// The writes that make `resources` true, without devices (see devices.h). An error names the limit
// that makes no sense or that this machine cannot keep.
//
// A pids limit of 0 or less is no limit, as engines have used it for years; runtime-spec 1.3 calls
// 0 a limit, but a container that cannot have a first process is of no use.
Result<std::vector<Setting>> settings_for(const spec::Resources& resources, const CgroupFacts& facts);

// Its parts, one for each family of files.
Result<> add_memory(const spec::MemoryResources& memory, const CgroupFacts& facts, std::vector<Setting>& out);
Result<> add_cpu(const spec::CpuResources& cpu, const CgroupFacts& facts, std::vector<Setting>& out);
Result<> add_block_io(const spec::BlockIoResources& io, const CgroupFacts& facts, std::vector<Setting>& out);

// The error for a limit whose controller the machine does not have.
std::unexpected<Error> no_controller(std::string_view limit, std::string_view controller);

}  // namespace nacre::runtime
