// SPDX-License-Identifier: Apache-2.0
#include "procfs/sample/subtree.h"

#include <dirent.h>
#include <fcntl.h>

#include "base/sys/file.h"

namespace nacre::procfs {
namespace {

using Visit = std::function<Result<>(const std::string&)>;

constexpr int kDepth = 16;

// Each directory in another is a link to it, unless links are not counted and there is always one.
Result<bool> may_have_children(const std::string& directory) {
  return TRY(during(directory, sys::stat_at(AT_FDCWD, directory.c_str()))).st_nlink != 2;
}

Result<> walk(const std::string& directory, int depth, const Visit& visit) {
  TRY(visit(directory));
  if (depth == 0 || !TRY(may_have_children(directory))) return {};
  const auto fd = TRY(during(directory, sys::open_at(AT_FDCWD, directory.c_str(), O_RDONLY | O_DIRECTORY)));
  for (const auto& entry : TRY(sys::list_directory(fd.get()))) {
    if (entry.type != DT_DIR) continue;
    if (auto below = walk(directory + "/" + entry.name, depth - 1, visit); !below) {
      const int code = below.error().code;
      if (code != ENOENT && code != ENODEV && code != EOPNOTSUPP) return below;
    }
  }
  return {};
}

}  // namespace

Result<> visit_subtree(const std::string& directory, const Visit& visit) {
  return walk(directory, kDepth, visit);
}

}  // namespace nacre::procfs
