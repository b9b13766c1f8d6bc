// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gmock/gmock.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>

#include <functional>
#include <thread>

#include "base/sys/socket.h"
#include "runtime/capabilities.h"
#include "runtime/seccomp/default_profile.h"
#include "runtime/seccomp/filter.h"
#include "tests/support/result_matchers.h"

namespace nacre::runtime::seccomp {
namespace {

using test::Succeeds;

// Runs `body` in a child, because a filter never comes off again; what it returns is the answer.
int in_child(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status)) << "ended by signal " << WTERMSIG(status);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool refused(long result, int code = EPERM) { return result == -1 && errno == code; }

class InstallTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto compiled = compile(default_profile(capabilities::default_capabilities()));
    ASSERT_THAT(compiled, Succeeds());
    program_ = std::move(*compiled);
  }
  // 0, or the number of the check that failed.
  int check_all(const std::vector<std::function<bool()>>& checks) {
    return in_child([&] {
      ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
      if (!install(program_, 0)) return 100;
      for (std::size_t i = 0; i < checks.size(); ++i)
        if (!checks[i]()) return static_cast<int>(i) + 1;
      return 0;
    });
  }
  std::vector<sock_filter> program_;
};

TEST_F(InstallTest, TheDefaultProfileStopsWhatReachesOut) {
  EXPECT_EQ(check_all({
                [] { return refused(::mount("none", "/proc/nowhere", "tmpfs", 0, nullptr)); },
                [] { return refused(::unshare(CLONE_NEWUSER)); },
                [] { return refused(::syscall(SYS_keyctl, 0, 0, 0, 0, 0)); },
                [] { return refused(::syscall(SYS_bpf, 0, nullptr, 0)); },
                [] { return refused(::socket(AF_VSOCK, SOCK_STREAM, 0)); },
                [] { return refused(::syscall(SYS_clone3, nullptr, 0), ENOSYS); },
                [] { return refused(::syscall(SYS_io_uring_setup, 1, nullptr), ENOSYS); },
            }),
            0);
}

TEST_F(InstallTest, TheDefaultProfileLetsOrdinaryThingsHappen) {
  EXPECT_EQ(check_all({
                [] { return ::open("/dev/null", O_RDWR | O_CLOEXEC) >= 0; },
                [] { return ::socket(AF_UNIX, SOCK_STREAM, 0) >= 0; },
                [] { return ::socket(AF_NETLINK, SOCK_RAW, 0) >= 0; },
                [] {
                  bool ran = false;
                  std::thread([&] { ran = true; }).join();
                  return ran;
                },
                [] { return in_child([] { return 7; }) == 7; },
                [] { return std::system("true") == 0; },
            }),
            0);
}

TEST_F(InstallTest, AFilterNeedsNoNewPrivileges) {
  EXPECT_EQ(in_child([&] {
              // A user without capabilities, without no_new_privs.
              if (::setresuid(65534, 65534, 65534) != 0) return 0;
              const auto installed = install(program_, 0);
              return !installed && installed.error().code == EACCES ? 0 : 1;
            }),
            0);
}

// What the runtime does: the child installs the filter first and sends the listener to its parent.
TEST(ViewListenerTest, AnswersSysinfoForTheChild) {
  auto [ours, theirs] = *sys::seqpacket_pair();
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    const auto listener = install(view_filter(false), SECCOMP_FILTER_FLAG_NEW_LISTENER);
    if (!listener || !*listener) ::_exit(101);
    const int fd = listener->get();
    if ((::fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0) ::_exit(102);
    if (!sys::send_message(theirs.get(), "listener", {&fd, 1})) ::_exit(103);
    struct sysinfo info {};
    if (::sysinfo(&info) != 42 && errno != ENODATA) ::_exit(104);
    cpu_set_t cpus;
    ::_exit(::sched_getaffinity(0, sizeof cpus, &cpus) == 0 ? 0 : 105);
  }
  const auto message = sys::receive_message(ours.get());
  ASSERT_THAT(message, Succeeds());
  ASSERT_EQ(message->fds.size(), 1u);
  const int listener = message->fds.front().get();

  seccomp_notif request{};
  ASSERT_EQ(::ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request), 0);
  EXPECT_EQ(request.data.nr, SYS_sysinfo);
  EXPECT_EQ(static_cast<pid_t>(request.pid), child);
  seccomp_notif_resp response{};
  response.id = request.id;
  response.error = -ENODATA;
  EXPECT_EQ(::ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response), 0);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(ViewListenerTest, ASecondListenerIsRefusedClearly) {
  EXPECT_EQ(in_child([] {
              ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
              const auto first = install(view_filter(false), SECCOMP_FILTER_FLAG_NEW_LISTENER);
              const auto second = install(view_filter(false), SECCOMP_FILTER_FLAG_NEW_LISTENER);
              return first && !second && second.error().code == EBUSY ? 0 : 1;
            }),
            0);
}

// The user's filter comes second and may still refuse what the view would answer.
TEST(ViewListenerTest, TheUsersRefusalWins) {
  spec::Seccomp user;
  user.default_action = "SCMP_ACT_ALLOW";
  user.syscalls = {{{"sysinfo"}, "SCMP_ACT_ERRNO", ENOTTY, {}}};
  const auto program = compile(user);
  ASSERT_THAT(program, Succeeds());
  EXPECT_EQ(in_child([&] {
              ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
              const auto listener = install(view_filter(false), SECCOMP_FILTER_FLAG_NEW_LISTENER);
              if (!listener || !install(*program, 0)) return 1;
              struct sysinfo info {};
              return refused(::sysinfo(&info), ENOTTY) ? 0 : 2;
            }),
            0);
}

}  // namespace
}  // namespace nacre::runtime::seccomp
