// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace nacre::procfs {

// What a daemon's successor must know: values by key, in memory that outlives the process for as long as
// somebody holds its descriptor. A value that put() has returned from is found again, whole, whenever and
// however this process ends; one that put() was interrupted in is the old one. One process writes at a time,
// from any thread.
//
// It is a log in two halves: when one half is full, what still counts is written to the other one, which then
// becomes the log.
class StateFile {
 public:
  static Result<StateFile> create(std::size_t half = 32u << 20);
  // What a predecessor has left. EINVAL when `memory` is none of ours.
  static Result<StateFile> open(UniqueFd memory);
  StateFile(StateFile&& other) noexcept;
  StateFile& operator=(StateFile&&) = delete;
  ~StateFile();

  int descriptor() const { return memory_.get(); }

  // ENOSPC when everything together is larger than a half.
  Result<> put(std::string_view key, std::string_view value);
  void erase(std::string_view key);
  // In the order of the keys.
  std::vector<std::pair<std::string, std::string>> entries_below(std::string_view prefix) const;
  std::string value(std::string_view key) const;  // empty without one

 private:
  struct Header;
  struct Record;
  struct Extent {
    std::size_t at = 0;  // of the record, in its half
    std::size_t size = 0;
  };
  StateFile(UniqueFd memory, char* base, std::size_t half)
      : memory_(std::move(memory)), base_(base), half_(half) {}
  static Result<StateFile> map(UniqueFd memory, std::size_t half);
  Header& header() const;
  char* start_of(std::uint64_t half) const;
  std::string_view value_at(const Extent& extent) const;
  // With mutex_ held.
  void read_log();
  void end_log(char* half, std::size_t at) const;
  // Nothing when there is no room.
  std::optional<Extent> append(std::string_view key, std::string_view value, bool erased);
  void compact();

  UniqueFd memory_;
  char* base_ = nullptr;
  std::size_t half_ = 0;
  mutable std::mutex mutex_;  // leaf
  std::map<std::string, Extent, std::less<>> live_;
  std::size_t live_size_ = 0;
  std::size_t end_ = 0;
};

}  // namespace nacre::procfs
