// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/cgroup/hierarchy.h"
#include "tests/support/temp_dir.h"

namespace nacre::test {

// A machine with cgroups in a temporary directory: /proc/meminfo, /proc/cpuinfo, the list of
// CPUs, and the hierarchies of one of the three layouts, with files as the kernel writes
// them. Nothing here moves by itself.
class FakeCgroup {
 public:
  // `cpus` online of a machine with 8 GiB (4 GiB free, 6 available) and 2 GiB of swap.
  explicit FakeCgroup(cgroup::Mode mode, unsigned cpus = 4);

  const std::string& root() const { return directory_.path(); }
  const cgroup::Hierarchies& hierarchies() const { return hierarchies_; }
  bool memory_v2() const { return mode_ == cgroup::Mode::unified; }

  // Makes the cgroup in every hierarchy, without limits and idle.
  void create(const std::string& path);
  void remove(const std::string& path);
  // Sets one number of a cgroup in its layout's own words. Bytes and microseconds.
  void set_memory(const std::string& path, std::uint64_t limit, std::uint64_t usage);
  void set_swap(const std::string& path, std::uint64_t limit, std::uint64_t usage);  // of swap alone
  // `size` as in "2MB".
  void set_huge_pages(const std::string& path, const std::string& size, std::uint64_t limit,
                      std::uint64_t usage);
  void set_quota(const std::string& path, std::uint64_t quota, std::uint64_t period = 100'000);
  void set_cpuset(const std::string& path, const std::string& cpus);
  void set_usage(const std::string& path, std::uint64_t user, std::uint64_t system,
                 std::uint64_t throttled = 0);
  // The whole of memory.stat, in the layout's own keys.
  void set_memory_stat(const std::string& path, std::string_view text);
  // 4096 bytes and one operation for each read and write.
  void set_io(const std::string& path, const std::string& device, unsigned reads, unsigned writes);
  // Puts a thread into a cgroup, with a /proc entry. `inner` is its number in its namespace.
  void add_thread(const std::string& path, int number, char state, int inner);

  // Writes any file below the root, making its directory.
  void write(const std::string& path, std::string_view text);

 private:
  std::string file(std::string_view controller, const std::string& path, const char* v1,
                   const char* v2) const;

  TempDir directory_;
  cgroup::Mode mode_;
  cgroup::Hierarchies hierarchies_;
};

}  // namespace nacre::test
