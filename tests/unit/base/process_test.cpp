// SPDX-License-Identifier: Apache-2.0
#include "base/sys/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "base/parse.h"
#include "base/sys/file.h"

namespace nacre::sys {
namespace {

// Room in the descriptor table (proc_pid_status(5)).
std::uint64_t room() {
  const auto status = read_file("/proc/self/status");
  if (!status) return 0;
  const auto line = status->substr(status->find("FDSize:") + 7);
  return parse_int<std::uint64_t>(trim(std::string_view(line).substr(0, line.find('\n')))).value_or(0);
}

TEST(ReserveDescriptors, MakesRoomAndLeavesNoneOpen) {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const auto open_ones = [] {
    return list_directory(open_at(AT_FDCWD, "/proc/self/fd", O_RDONLY)->get())->size();
  };
  const auto before = open_ones();
  const auto wanted = std::min<rlim_t>(limit.rlim_cur, 4096);
  if (room() >= wanted) GTEST_SKIP() << "there is room for as many as the limit allows already";
  reserve_descriptors(4096);
  EXPECT_GE(room(), wanted);
  EXPECT_EQ(open_ones(), before);
}

}  // namespace
}  // namespace nacre::sys
