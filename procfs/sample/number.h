// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "base/cgroup/keyed_file.h"
#include "procfs/sample/hot_files.h"

namespace nacre::procfs {

// The one number in a file; kUnlimited for "max".
inline Result<std::uint64_t> number(HotFiles& files, const std::string& path) {
  return during(path, cgroup::parse_limit(TRY(files.read(path))));
}

// The same of a file that is there only where the kernel counts such a thing, as swap.
inline Result<std::uint64_t> number_or(HotFiles& files, const std::string& path, std::uint64_t otherwise) {
  const auto text = files.read(path);
  if (!text && text.error().code == ENOENT) return otherwise;
  if (!text) return std::unexpected(text.error());
  return during(path, cgroup::parse_limit(*text));
}

}  // namespace nacre::procfs
