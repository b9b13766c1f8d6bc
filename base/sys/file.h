// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

// Files by descriptor. Every descriptor is born O_CLOEXEC.
namespace nacre::sys {

// openat(2). `mode` counts only with O_CREAT or O_TMPFILE.
Result<UniqueFd> open_at(int dir, const char* path, int flags, mode_t mode = 0);

// openat2(2) that cannot leave `dir` and follows no symlink at all: for names inside a
// layer or an untrusted root filesystem. EXDEV or ELOOP when the path tries.
Result<UniqueFd> open_beneath(int dir, const char* path, int flags, mode_t mode = 0);

// openat2(2) that resolves `path` as if `root` were "/": symlinks work but cannot escape.
Result<UniqueFd> open_in_root(int root, const char* path, int flags, mode_t mode = 0);

// Everything from the current offset to end of file; at most `limit` bytes (EFBIG).
Result<std::string> read_all(int fd, std::size_t limit = 64u << 20);
// Opens, reads and closes; the error names the path.
Result<std::string> read_file(const std::string& path);
Result<std::string> read_file_at(int dir, const char* name);

Result<> write_all(int fd, std::string_view data);
// One write(2) to an existing file, as cgroup and /proc files want it; the error names the
// path and the value.
Result<> write_file(const std::string& path, std::string_view data);
// Creates or truncates `path`.
Result<> create_file(const std::string& path, std::string_view data, mode_t mode = 0644);
// Replaces `path` so that a reader sees the old or the new text and never a part.
Result<> replace_file(const std::string& path, std::string_view data, mode_t mode = 0644);

// mkdir -p. An existing directory is success.
Result<> make_directories(const std::string& path, mode_t mode = 0755);
// rm -rf without following symlinks or crossing into mounts; a missing path is success.
Result<> remove_tree(const std::string& path);

struct DirEntry {
  std::string name;
  unsigned char type;  // DT_*, may be DT_UNKNOWN
  std::uint64_t ino;
};
// All entries but "." and "..", in the directory's own order. The offset of `dir` is not
// used; an O_PATH descriptor will do.
Result<std::vector<DirEntry>> list_directory(int dir);

Result<struct stat> stat_fd(int fd);
// fstatat without following a final symlink.
Result<struct stat> stat_at(int dir, const char* name);
bool exists(const std::string& path);

Result<std::string> read_link_at(int dir, const char* name);

// An unsealed memfd (memfd_create(2)) holding `data`, offset 0.
Result<UniqueFd> memory_file(const char* name, std::string_view data);

}  // namespace nacre::sys
