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
  // What is below one of the directories `bases` is looked up from there, which saves a third of opening a
  // cgroup's file. They are opened and closed like the files: who reads nothing keeps no mount busy.
  explicit HotFiles(std::vector<std::string> bases = {}, std::size_t capacity = 256)
      : bases_(std::move(bases)), capacity_(capacity) {}

  // The whole text. ENOENT or ENODEV when the file is gone; the error names the path.
  Result<std::string> read(const std::string& path);
  // The same without keeping it: of a process, or v1's list of tasks, which for a second goes on telling what
  // it was when it was opened.
  Result<std::string> read_once(const std::string& path);
  // Closes what has not been read since the previous call.
  void close_unused();
  // Closes every descriptor in or below a directory that goes away.
  void close_below(std::string_view directory);
  std::size_t open_count() const;
  // Called without our own lock held after a descriptor was kept, so that somebody closes it one day.
  void on_open(std::function<void()> action);

 private:
  using FdRef = std::shared_ptr<const UniqueFd>;
  struct Entry {
    std::string path;
    FdRef fd;
    std::uint64_t used;
  };
  using Entries = std::list<Entry>;  // most recently read first

  FdRef find(const std::string& path);
  Result<UniqueFd> open(const std::string& path);
  FdRef keep(const std::string& path, UniqueFd opened);
  void drop(const std::string& path);

  const std::vector<std::string> bases_;
  const std::size_t capacity_;
  mutable std::mutex mutex_;  // leaf
  Entries entries_;
  std::unordered_map<std::string_view, Entries::iterator> by_path_;
  std::uint64_t generation_ = 0;
  std::function<void()> on_open_;
};

}  // namespace nacre::procfs
