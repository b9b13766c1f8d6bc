// SPDX-License-Identifier: Apache-2.0
#include "fs/layer/object.h"

#include <sys/xattr.h>

#include "base/parse.h"

namespace nacre::fs::object {
namespace {

// Repeats `get(buffer, size)` with more room until the answer fits.
template <typename Get>
Result<std::string> sized(std::size_t room, Get get) {
  std::string value(room, '\0');
  for (;;) {
    const ssize_t size = get(value.data(), value.size());
    if (size >= 0) {
      value.resize(static_cast<std::size_t>(size));
      return value;
    }
    if (errno != ERANGE) return fail(errno);
    const ssize_t need = get(nullptr, 0);
    if (need < 0) return fail(errno);
    value.resize(static_cast<std::size_t>(need) + 1);
  }
}

template <typename List>
Result<std::vector<std::string>> names(List list) {
  const auto text = sized(1024, list);
  if (!text && text.error().code == EOPNOTSUPP) return std::vector<std::string>{};
  if (!text) return fail(text.error().code);
  std::vector<std::string> all;
  for (const auto name : split(*text, '\0'))
    if (!name.empty()) all.emplace_back(name);
  return all;
}

}  // namespace

std::string path(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

Result<std::string> get_xattr(int fd, const char* attribute) {
  const auto at = path(fd);
  return sized(256,
               [&](char* room, std::size_t size) { return ::getxattr(at.c_str(), attribute, room, size); });
}
Result<std::vector<std::string>> list_xattrs(int fd) {
  const auto at = path(fd);
  return names([&](char* room, std::size_t size) { return ::listxattr(at.c_str(), room, size); });
}
Result<std::string> get_xattr(const std::string& path, const char* attribute) {
  return sized(
      256, [&](char* room, std::size_t size) { return ::lgetxattr(path.c_str(), attribute, room, size); });
}
Result<std::vector<std::string>> list_xattrs(const std::string& path) {
  return names([&](char* room, std::size_t size) { return ::llistxattr(path.c_str(), room, size); });
}

}  // namespace nacre::fs::object
