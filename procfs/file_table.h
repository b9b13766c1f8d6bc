// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "procfs/container.h"

namespace nacre::procfs {

// One file that a container sees as its own. Adding a file to nacre-procfs is adding a row.
struct FileRow {
  // Below a container's directory. "cpu#" stands for one directory for each CPU.
  std::string_view path;
  Result<std::string> (*render)(Container& container, std::size_t cpu);
  // The resource whose pressure can be waited for; null: nothing can be written.
  const char* pressure = nullptr;
  // Longer than a page, or may be on a machine with many CPUs or disks.
  bool is_long = false;
};
std::span<const FileRow> file_table();

// Where parts of a container's directory belong in the container.
struct AttachRow {
  std::string_view path;    // "proc/meminfo"
  std::string_view target;  // "/proc/meminfo"
  bool writable = false;    // some files in it are
};
std::span<const AttachRow> attach_table();

}  // namespace nacre::procfs
