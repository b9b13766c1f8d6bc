// SPDX-License-Identifier: Apache-2.0
#include "fs/layer/object.h"

#include <sys/xattr.h>

#include "base/parse.h"
#include "base/sys/checked.h"

namespace nacre::fs::object {

std::string path(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

Result<std::string> get_xattr(int fd, const char* attribute) {
  const auto at = path(fd);
  std::string value(256, '\0');
  for (;;) {
    const ssize_t size = ::getxattr(at.c_str(), attribute, value.data(), value.size());
    if (size >= 0) {
      value.resize(static_cast<std::size_t>(size));
      return value;
    }
    if (errno != ERANGE) return fail(errno);
    value.resize(static_cast<std::size_t>(
                     TRY(sys::checked([&] { return ::getxattr(at.c_str(), attribute, nullptr, 0); }))) +
                 1);
  }
}

Result<std::vector<std::string>> list_xattrs(int fd) {
  const auto at = path(fd);
  std::string names(1024, '\0');
  for (;;) {
    const ssize_t size = ::listxattr(at.c_str(), names.data(), names.size());
    if (size >= 0) {
      names.resize(static_cast<std::size_t>(size));
      break;
    }
    if (errno == EOPNOTSUPP) return std::vector<std::string>{};
    if (errno != ERANGE) return fail(errno);
    names.resize(names.size() * 2);
  }
  std::vector<std::string> list;
  for (const auto name : split(names, '\0'))
    if (!name.empty()) list.emplace_back(name);
  return list;
}

}  // namespace nacre::fs::object
