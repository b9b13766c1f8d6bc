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
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace nacre::procfs {

// Reads small kernel files (cgroup files, /proc/meminfo), keeping the descriptors of those
// in use: pread(2) at offset 0 makes the kernel write the text anew. At most `capacity`
// descriptors are kept, the least recently read goes first, and close_unused() lets those
// go that nobody reads any more: an idle container costs none. From any thread.
class HotFiles {
 public:
  // What is below one of `bases`, directories that stay where they are, is looked up from there: that saves a
  // third of opening a cgroup's file.
  explicit HotFiles(const std::vector<std::string>& bases = {}, std::size_t capacity = 256);

  // The whole text. ENOENT or ENODEV when the file is gone; the error names the path.
  Result<std::string> read(const std::string& path);
  // The same of a file that goes on telling what it was when it was opened, as v1's list of tasks does for a
  // second: nothing is kept.
  Result<std::string> read_once(const std::string& path) const;
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
  struct Base {
    std::string path;  // with a slash at its end
    UniqueFd directory;
  };
  using Entries = std::list<Entry>;  // most recently read first

  std::shared_ptr<const UniqueFd> find(const std::string& path);
  Result<UniqueFd> open(const std::string& path) const;
  Result<std::shared_ptr<const UniqueFd>> open_and_keep(const std::string& path);
  std::function<void()> keep(const std::string& path, std::shared_ptr<const UniqueFd> fd);
  void drop(const std::string& path);

  std::vector<Base> bases_;  // not changed after construction
  const std::size_t capacity_;
  mutable std::mutex mutex_;  // leaf
  Entries entries_;
  std::unordered_map<std::string_view, Entries::iterator> by_path_;
  std::uint64_t generation_ = 0;
  std::function<void()> on_open_;
};

}  // namespace nacre::procfs
