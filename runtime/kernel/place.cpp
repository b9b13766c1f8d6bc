// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <deque>
#include <string>

#include "base/parse.h"
#include "base/sys/checked.h"
#include "base/sys/file.h"
#include "runtime/kernel/linux_kernel.h"

// Paths inside the container. Whatever the image's symlinks say, and whoever changes them while
// we look, resolution ends below the root: each step is an openat2(2) with RESOLVE_IN_ROOT.
namespace nacre::runtime::kernel {
namespace {

using Kind = Kernel::Kind;

constexpr unsigned kSymlinkLimit = 40;

const char* or_root(const std::string& path) { return path.empty() ? "/" : path.c_str(); }

// Makes the last part of `path`, whose parent exists and is not a symlink.
Result<> make_last(int root, const std::string& parent, const std::string& name, Kind kind) {
  const auto directory = TRY(sys::open_in_root(root, or_root(parent), O_PATH | O_DIRECTORY));
  const int rc = kind == Kind::directory ? ::mkdirat(directory.get(), name.c_str(), 0755)
                                         : ::mknodat(directory.get(), name.c_str(), S_IFREG | 0644, 0);
  if (rc != 0 && errno != EEXIST) return fail(errno, "create " + parent + "/" + name);
  return {};
}

// Walks part by part, following symlinks as text, so that the target of a dangling one can be
// made too (an image's /etc/resolv.conf often is one).
Result<UniqueFd> walk_and_make(int root, const std::string& path, Kind kind) {
  std::deque<std::string> parts;
  for (const auto part : split(path, '/')) parts.emplace_back(part);
  std::string done;
  unsigned symlinks = 0;
  while (!parts.empty()) {
    const auto part = std::move(parts.front());
    parts.pop_front();
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      done.resize(done.empty() ? 0 : done.find_last_of('/'));
      continue;
    }
    const auto next = done + "/" + part;
    auto entry = sys::open_in_root(root, next.c_str(), O_PATH | O_NOFOLLOW);
    if (!entry && entry.error().code == ENOENT) {
      const bool last = parts.empty();
      TRY(make_last(root, done, part, last ? kind : Kind::directory));
      entry = sys::open_in_root(root, next.c_str(), O_PATH | O_NOFOLLOW);
    }
    if (!entry) return fail(entry.error().code, next);
    if (!S_ISLNK(TRY(sys::stat_fd(entry->get())).st_mode)) {
      done = next;
      continue;
    }
    if (++symlinks > kSymlinkLimit) return fail(ELOOP, path);
    const auto content = TRY(sys::read_link_at(entry->get(), ""));
    if (content.starts_with('/')) done.clear();
    std::size_t at = 0;
    for (const auto piece : split(content, '/'))
      parts.emplace(parts.begin() + static_cast<std::ptrdiff_t>(at++), piece);
  }
  return sys::open_in_root(root, or_root(done), O_PATH | O_NOFOLLOW);
}

}  // namespace

Result<UniqueFd> LinuxKernel::place(int root, const std::string& path, Kind kind) {
  auto found = sys::open_in_root(root, path.c_str(), O_PATH);
  if (found || found.error().code != ENOENT) return found;
  return walk_and_make(root, path, kind);
}

Result<UniqueFd> LinuxKernel::real_directory(int root, const std::string& path) {
  const auto relative = path.substr(path.find_first_not_of('/'));
  auto found = sys::open_beneath(root, relative.c_str(), O_PATH | O_DIRECTORY);
  if (!found && found.error().code == ENOENT) {
    TRY(walk_and_make(root, path, Kind::directory));
    found = sys::open_beneath(root, relative.c_str(), O_PATH | O_DIRECTORY);
  }
  if (!found && (found.error().code == ELOOP || found.error().code == ENOTDIR))
    return bad_input(path + " of the container's root must be a directory, not a symlink");
  return found;
}

Result<std::optional<UniqueFd>> LinuxKernel::find(int root, const std::string& path) {
  auto found = sys::open_in_root(root, path.c_str(), O_PATH);
  if (found) return std::optional(std::move(*found));
  // EACCES: a part of /proc or /sys that is closed to us is closed to the container as well.
  const int code = found.error().code;
  if (code == ENOENT || code == ENOTDIR || code == EACCES) return std::optional<UniqueFd>{};
  return std::unexpected(std::move(found.error()));
}

Result<Kind> LinuxKernel::kind_of(int fd) {
  return S_ISDIR(TRY(sys::stat_fd(fd)).st_mode) ? Kind::directory : Kind::file;
}

}  // namespace nacre::runtime::kernel
