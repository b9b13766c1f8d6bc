// SPDX-License-Identifier: Apache-2.0
#include "procfs/sample/hot_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/sys/checked.h"
#include "base/sys/file.h"

namespace nacre::procfs {
namespace {

// The kernel gives as many lines as fit into its buffer of a page or more. When it gives less than this there
// are no others: no line, nor a processor's part of cpuinfo, is so long that it did not fit beside.
constexpr ssize_t kWhole = 1024;

Result<std::string> text_of(int fd) {
  std::string text;
  std::array<char, 8192> buffer;
  for (;;) {
    const auto offset = static_cast<off_t>(text.size());
    const auto count = TRY(sys::checked([&] { return ::pread(fd, buffer.data(), buffer.size(), offset); }));
    text.append(buffer.data(), static_cast<std::size_t>(count));
    if (count < kWhole) return text;
  }
}

bool is_below(std::string_view path, std::string_view directory) {
  return path.starts_with(directory) && path.size() > directory.size() && path[directory.size()] == '/';
}

}  // namespace

Result<std::string> HotFiles::read_once(const std::string& path) {
  const auto fd = TRY(during(path, open(path)));
  return during(path, text_of(fd.get()));
}

Result<std::string> HotFiles::read(const std::string& path) {
  if (const auto known = find(path)) {
    auto text = text_of(known->get());
    if (text) return text;
    // A removed cgroup whose name was taken again has a new file under the old path.
    drop(path);
  }
  const auto fd = keep(path, TRY(during(path, open(path))));
  auto text = text_of(fd->get());
  if (!text) drop(path);
  return during(path, std::move(text));
}

HotFiles::FdRef HotFiles::find(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto found = by_path_.find(path);
  if (found == by_path_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  found->second->used = generation_;
  return found->second->fd;
}

Result<UniqueFd> HotFiles::open(const std::string& path) {
  const auto base =
      std::ranges::find_if(bases_, [&](const std::string& directory) { return is_below(path, directory); });
  if (base == bases_.end()) return sys::open_at(AT_FDCWD, path.c_str(), O_RDONLY);
  auto directory = find(*base);
  if (!directory) directory = keep(*base, TRY(sys::open_at(AT_FDCWD, base->c_str(), O_PATH | O_DIRECTORY)));
  return sys::open_at(directory->get(), path.c_str() + base->size() + 1, O_RDONLY);
}

HotFiles::FdRef HotFiles::keep(const std::string& path, UniqueFd opened) {
  auto fd = std::make_shared<const UniqueFd>(std::move(opened));
  std::function<void()> action;
  {
    const std::lock_guard lock(mutex_);
    if (by_path_.contains(path)) return fd;  // another thread was first: ours is used once
    entries_.push_front({path, fd, generation_});
    by_path_.emplace(entries_.front().path, entries_.begin());
    if (entries_.size() > capacity_) {
      by_path_.erase(entries_.back().path);
      entries_.pop_back();
    }
    action = on_open_;
  }
  if (action) action();
  return fd;
}

void HotFiles::on_open(std::function<void()> action) {
  const std::lock_guard lock(mutex_);
  on_open_ = std::move(action);
}

void HotFiles::drop(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto found = by_path_.find(path);
  if (found == by_path_.end()) return;
  const auto entry = found->second;
  by_path_.erase(found);
  entries_.erase(entry);
}

void HotFiles::close_unused() {
  const std::lock_guard lock(mutex_);
  while (!entries_.empty() && entries_.back().used < generation_) {
    by_path_.erase(entries_.back().path);
    entries_.pop_back();
  }
  ++generation_;
}

void HotFiles::close_below(std::string_view directory) {
  const std::lock_guard lock(mutex_);
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    if (is_below(entry->path, directory)) {
      by_path_.erase(entry->path);
      entry = entries_.erase(entry);
    } else {
      ++entry;
    }
  }
}

std::size_t HotFiles::open_count() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace nacre::procfs
