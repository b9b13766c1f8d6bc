// SPDX-License-Identifier: Apache-2.0
#include "tests/support/tree_builder.h"

#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <system_error>

namespace nacre::test {
namespace {

namespace stdfs = std::filesystem;

void check(int rc, const std::string& path) {
  if (rc != 0) throw std::system_error(errno, std::generic_category(), path);
}

bool is_opaque(const std::string& path) {
  std::array<char, 2> value{};
  return std::ranges::any_of(
      std::array{"trusted.overlay.opaque", "user.overlay.opaque"}, [&](const char* name) {
        return ::lgetxattr(path.c_str(), name, value.data(), value.size()) == 1 && value[0] == 'y';
      });
}

std::string describe(const stdfs::directory_entry& entry, const std::string& name) {
  struct stat st {};
  check(::lstat(entry.path().c_str(), &st), name);
  if (S_ISDIR(st.st_mode)) return name + "/" + (is_opaque(entry.path()) ? " (opaque)" : "");
  if (S_ISCHR(st.st_mode) && st.st_rdev == 0) return name + " (whiteout)";
  if (S_ISLNK(st.st_mode)) return name + " -> " + stdfs::read_symlink(entry.path()).string();
  return name;
}

}  // namespace

std::string TreeBuilder::place(std::string_view path) {
  const auto full = root_ + "/" + std::string(path);
  stdfs::create_directories(stdfs::path(full).parent_path());
  return full;
}

TreeBuilder& TreeBuilder::files(Files files) {
  for (const auto& [name, data] : files) {
    const auto full = place(name);
    if (name.ends_with('/')) continue;
    std::ofstream out(full, std::ios::binary | std::ios::trunc);
    out << data;
    if (!out.flush()) throw std::runtime_error("cannot write " + full);
  }
  return *this;
}

TreeBuilder& TreeBuilder::dir(std::string_view path) {
  stdfs::create_directories(place(path));
  return *this;
}

TreeBuilder& TreeBuilder::symlink(std::string_view path, std::string_view target) {
  stdfs::create_symlink(target, place(path));
  return *this;
}

TreeBuilder& TreeBuilder::whiteout(std::string_view path) {
  const auto full = place(path);
  check(::mknod(full.c_str(), S_IFCHR, 0), full);
  return *this;
}

TreeBuilder& TreeBuilder::opaque(std::string_view path, std::string_view value) {
  dir(path);
  return xattr(path, "user.overlay.opaque", value);
}

TreeBuilder& TreeBuilder::xattr(std::string_view path, const char* name, std::string_view value) {
  const auto full = place(path);
  check(::lsetxattr(full.c_str(), name, value.data(), value.size(), 0), full);
  return *this;
}

std::vector<std::string> TreeBuilder::names() const {
  std::vector<std::string> found;
  for (const auto& entry : stdfs::recursive_directory_iterator(root_))
    found.push_back(describe(entry, entry.path().lexically_relative(root_).string()));
  std::ranges::sort(found);
  return found;
}

}  // namespace nacre::test
