// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"
#include "base/unique_fd.h"

namespace nacre::procfs {

// Reads small kernel files (cgroup files, /proc/meminfo), keeping the descriptors of those
// in use: pread(2) at offset 0 makes the kernel write the text anew. At most `capacity`
// descriptors are kept, the least recently read goes first, and close_unused() lets those
// go that nobody reads any more: an idle container costs none. From any thread.
class HotFiles {
 public:
  explicit HotFiles(std::size_t capacity = 256) : capacity_(capacity) {}

  // The whole text. ENOENT or ENODEV when the file is gone; the error names the path.
  Result<std::string> read(const std::string& path);
  // Closes what has not been read since the previous call.
  void close_unused();
  // Closes every descriptor in or below a directory that goes away.
  void close_below(std::string_view directory);
  std::size_t open_count() const;
  // Called without any lock held after a descriptor was kept, so that somebody closes it one day.
  void on_open(std::function<void()> action);

 private:
  struct Entry {
    std::string path;
    std::shared_ptr<const UniqueFd> fd;
    std::uint64_t used;
  };
  using Entries = std::list<Entry>;  // most recently read first

  std::shared_ptr<const UniqueFd> find(const std::string& path);
  Result<std::shared_ptr<const UniqueFd>> open(const std::string& path);
  std::function<void()> keep(const std::string& path, std::shared_ptr<const UniqueFd> fd);
  void drop(const std::string& path);

  const std::size_t capacity_;
  mutable std::mutex mutex_;  // leaf
  Entries entries_;
  std::unordered_map<std::string_view, Entries::iterator> by_path_;
  std::uint64_t generation_ = 0;
  std::function<void()> on_open_;
};

}  // namespace nacre::procfs
