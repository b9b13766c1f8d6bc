// SPDX-License-Identifier: Apache-2.0
#include "base/sys/file.h"

#include <dirent.h>
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <array>
#include <cstring>

#include "base/scope_exit.h"
#include "base/sys/checked.h"

namespace nacre::sys {
namespace {

Result<UniqueFd> open_resolved(int dir, const char* path, int flags, mode_t mode, std::uint64_t resolve) {
  // openat2 refuses a mode without O_CREAT or O_TMPFILE, where openat ignores it.
  const bool creates = (flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))) != 0;
  const open_how how{
      .flags = static_cast<std::uint64_t>(static_cast<unsigned>(flags | O_CLOEXEC)),
      .mode = creates ? mode : 0,
      .resolve = resolve,
  };
  for (;;) {
    const auto fd = ::syscall(SYS_openat2, dir, path, &how, sizeof(how));
    if (fd >= 0) return UniqueFd{static_cast<int>(fd)};
    // EAGAIN: a rename raced with the resolution; the kernel asks for another try.
    if (errno != EINTR && errno != EAGAIN) return fail(errno);
  }
}

struct CloseDir {
  DIR* dir;
  ~CloseDir() { ::closedir(dir); }
};

bool is_dot(const char* name) { return std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0; }

Result<> remove_entry(int dir, const char* name);

Result<> empty_directory(int dir) {
  for (const auto& entry : TRY(list_directory(dir))) TRY(remove_entry(dir, entry.name.c_str()));
  return {};
}

Result<> remove_entry(int dir, const char* name) {
  if (::unlinkat(dir, name, 0) == 0 || errno == ENOENT) return {};
  if (errno != EISDIR && errno != EPERM) return fail(errno, name);
  if (::unlinkat(dir, name, AT_REMOVEDIR) == 0) return {};
  if (errno != ENOTEMPTY && errno != EEXIST) return fail(errno, name);
  {
    const open_how how{.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
                       .mode = 0,
                       .resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS};
    const UniqueFd child{static_cast<int>(
        TRY(during(name, checked([&] { return ::syscall(SYS_openat2, dir, name, &how, sizeof(how)); }))))};
    TRY(during(name, empty_directory(child.get())));
  }
  return during(name, succeed([&] { return ::unlinkat(dir, name, AT_REMOVEDIR); }));
}

}  // namespace

Result<UniqueFd> open_at(int dir, const char* path, int flags, mode_t mode) {
  return UniqueFd{TRY(checked([&] { return ::openat(dir, path, flags | O_CLOEXEC, mode); }))};
}

Result<UniqueFd> open_beneath(int dir, const char* path, int flags, mode_t mode) {
  return open_resolved(dir, path, flags, mode, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
}

Result<UniqueFd> open_in_root(int root, const char* path, int flags, mode_t mode) {
  return open_resolved(root, path, flags, mode, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

Result<std::string> read_all(int fd, std::size_t limit) {
  std::string text;
  std::array<char, 16384> buffer;
  for (;;) {
    const auto count = TRY(checked([&] { return ::read(fd, buffer.data(), buffer.size()); }));
    if (count == 0) return text;
    if (text.size() + static_cast<std::size_t>(count) > limit) return fail(EFBIG);
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

Result<std::string> read_file(const std::string& path) {
  return during("read " + path, read_file_at(AT_FDCWD, path.c_str()));
}

Result<std::string> read_file_at(int dir, const char* name) {
  const auto fd = TRY(open_at(dir, name, O_RDONLY));
  return read_all(fd.get());
}

Result<> write_all(int fd, std::string_view data) {
  while (!data.empty()) {
    const auto count = TRY(checked([&] { return ::write(fd, data.data(), data.size()); }));
    data.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

Result<> write_file(const std::string& path, std::string_view data) {
  const auto step = [&] { return "write \"" + std::string(data.substr(0, 80)) + "\" to " + path; };
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return fail(errno, step());
  const UniqueFd owned{fd};
  if (const auto count = checked([&] { return ::write(fd, data.data(), data.size()); }); !count)
    return fail(count.error().code, step());
  return {};
}

Result<> create_file(const std::string& path, std::string_view data, mode_t mode) {
  const auto fd =
      TRY(during("create " + path, open_at(AT_FDCWD, path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, mode)));
  return during("write " + path, write_all(fd.get(), data));
}

Result<> replace_file(const std::string& path, std::string_view data, mode_t mode) {
  const std::string staged = path + ".new." + std::to_string(::getpid());
  ScopeExit undo{[&] { ::unlink(staged.c_str()); }};
  TRY(create_file(staged, data, mode));
  TRY(during("rename " + staged + " to " + path,
             succeed([&] { return ::rename(staged.c_str(), path.c_str()); })));
  undo.dismiss();
  return {};
}

Result<> make_directories(const std::string& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) == 0) return {};
  if (errno == EEXIST) {
    struct stat st {};
    if (::stat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode)) return {};
    return fail(ENOTDIR, "create directory " + path);
  }
  const auto slash = path.find_last_of('/');
  if (errno != ENOENT || slash == std::string::npos || slash == 0)
    return fail(errno, "create directory " + path);
  TRY(make_directories(path.substr(0, slash), mode));
  if (::mkdir(path.c_str(), mode) == 0 || errno == EEXIST) return {};
  return fail(errno, "create directory " + path);
}

Result<> remove_tree(const std::string& path) {
  // The way to the tree may cross mounts; only the tree itself must not.
  const auto slash = path.find_last_of('/');
  const auto folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const auto parent = open_at(AT_FDCWD, folder.c_str(), O_PATH | O_DIRECTORY);
  if (!parent && parent.error().code == ENOENT) return {};
  if (!parent) return fail(parent.error().code, "remove " + path);
  return during("remove " + path,
                remove_entry(parent->get(), path.c_str() + (slash == std::string::npos ? 0 : slash + 1)));
}

Result<std::vector<DirEntry>> list_directory(int dir) {
  // fdopendir takes the descriptor over; a second description keeps our caller's offset.
  auto own = TRY(open_at(dir, ".", O_RDONLY | O_DIRECTORY));
  DIR* const stream = ::fdopendir(own.get());
  if (stream == nullptr) return fail(errno);
  static_cast<void>(own.release());
  const CloseDir close{stream};
  std::vector<DirEntry> entries;
  for (;;) {
    errno = 0;
    const dirent* const entry = ::readdir(stream);
    if (entry == nullptr) break;
    if (!is_dot(entry->d_name)) entries.push_back({entry->d_name, entry->d_type, entry->d_ino});
  }
  if (errno != 0) return fail(errno);
  return entries;
}

Result<struct stat> stat_fd(int fd) {
  struct stat st {};
  if (::fstat(fd, &st) != 0) return fail(errno);
  return st;
}

Result<struct stat> stat_at(int dir, const char* name) {
  struct stat st {};
  if (::fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0) return fail(errno);
  return st;
}

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

Result<std::string> read_link_at(int dir, const char* name) {
  std::string target(256, '\0');
  for (;;) {
    const auto size = TRY(checked([&] { return ::readlinkat(dir, name, target.data(), target.size()); }));
    if (static_cast<std::size_t>(size) < target.size()) {
      target.resize(static_cast<std::size_t>(size));
      return target;
    }
    target.resize(target.size() * 2);
  }
}

Result<UniqueFd> memory_file(const char* name, std::string_view data) {
  UniqueFd fd{TRY(checked([&] { return ::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING); }))};
  TRY(write_all(fd.get(), data));
  if (::lseek(fd.get(), 0, SEEK_SET) < 0) return fail(errno);
  return fd;
}

}  // namespace nacre::sys
