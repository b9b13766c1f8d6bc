// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "procfs/container.h"

namespace nacre::procfs {

// One file that a container sees as its own. Adding a file to nacre-procfs is adding a row.
struct FileRow {
  // Where a container has it. A part such as "cpu#" stands for one directory for each instance.
  std::string_view path;
  Result<std::string> (*render)(Container& container, std::size_t instance);
  // The resource whose pressure can be waited for; null: nothing can be written.
  const char* pressure = nullptr;
  // Longer than a page, or may be on a machine with many CPUs or disks.
  bool is_long = false;
};
std::span<const FileRow> file_table();

// What a container has several of, each with the same files.
struct Instance {
  std::string name;
  std::uint16_t number = 0;  // its own for as long as the container lives
};
struct InstanceRow {
  std::string_view pattern;  // "cpu#"
  Result<std::vector<Instance>> (*list)(Container& container);
};
std::span<const InstanceRow> instance_table();

// A file or directory that is put over the kernel's in a container.
struct AttachRow {
  std::string_view target;  // "/proc/meminfo"
  bool writable = false;    // some files in it are
};
std::span<const AttachRow> attach_table();

}  // namespace nacre::procfs
