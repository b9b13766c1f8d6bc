// SPDX-License-Identifier: Apache-2.0
#include "base/sys/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "base/parse.h"
#include "base/sys/file.h"
#include "base/sys/socket.h"

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

TEST(EndOfThisProcess, IsSeenByOthersAndNotBefore) {
  auto [ours, theirs] = *seqpacket_pair();
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto end = end_of_this_process();
    const int descriptor = end ? end->get() : -1;
    static_cast<void>(send_message(theirs.get(), "told", {&descriptor, end ? 1u : 0u}));
    for (;;) ::pause();
  }
  const auto told = receive_message(ours.get());
  ASSERT_TRUE(told);
  const auto readable_within = [&](int milliseconds) {
    pollfd event{told->fds.empty() ? -1 : told->fds[0].get(), POLLIN, 0};
    return ::poll(&event, 1, milliseconds) == 1;
  };
  const bool before = readable_within(20);
  ::kill(child, SIGKILL);
  const bool after = readable_within(10'000 * static_cast<int>(told->fds.size()));
  ::waitpid(child, nullptr, 0);
  if (told->fds.empty()) GTEST_SKIP() << "this kernel cannot watch a thread (PIDFD_THREAD, Linux 6.9)";
  EXPECT_FALSE(before);
  EXPECT_TRUE(after);
}

}  // namespace
}  // namespace nacre::sys
