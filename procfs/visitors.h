// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "procfs/container.h"

namespace nacre::procfs {

// Containers that nobody registered, by the cgroups of those who asked. So many are remembered; another one
// takes the place of the one asked for longest ago, whose counters begin anew if somebody asks again. Not
// thread-safe.
class Visitors {
 public:
  using Entry = std::pair<std::string, ContainerRef>;
  explicit Visitors(std::size_t capacity) : capacity_(capacity) {}

  // Null without one.
  ContainerRef find(std::string_view key);
  // `key` has none yet. Returns who had to go, or null.
  ContainerRef add(std::string key, ContainerRef container);
  void remove(std::string_view key);
  // Most recently asked for first.
  const std::list<Entry>& all() const { return entries_; }

  // Engines give a new container a new cgroup, so nobody asks for those of ended ones again. Were as many
  // added as had been left when they were looked for last?
  static constexpr std::size_t kSomeAdded = 64;
  bool needs_sweep() const { return added_ >= enough_; }
  void swept();

 private:
  const std::size_t capacity_;
  std::size_t added_ = 0, enough_ = kSomeAdded;
  std::list<Entry> entries_;
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_key_;
};

}  // namespace nacre::procfs
