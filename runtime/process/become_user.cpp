// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/close_range.h>
#include <linux/keyctl.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/sys/checked.h"
#include "base/sys/file.h"
#include "base/sys/process.h"
#include "runtime/capabilities.h"
#include "runtime/process/command.h"
#include "runtime/process/lookup.h"
#include "runtime/rlimits.h"
#include "runtime/seccomp/filter.h"

namespace nacre::runtime::process {
namespace {

using sys::succeed;

Result<> take_terminal(const UniqueFd& terminal) {
  // Fails only for a process that leads a session already, which is what we want.
  ::setsid();
  if (!terminal) return {};
  for (int fd = 0; fd < 3; ++fd) TRY(succeed([&] { return ::dup2(terminal.get(), fd); }));
  return during("take the terminal", succeed([] { return ::ioctl(0, TIOCSCTTY, 0); }));
}

Result<> new_keyring(const std::string& name) {
  if (name.empty()) return {};
  if (::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name.c_str()) >= 0) return {};
  // Kernels without keyrings, and sandboxes that forbid them, run containers as well.
  if (errno == ENOSYS || errno == EPERM || errno == EACCES) return {};
  return fail(errno, "new session keyring (--no-new-keyring goes without)");
}

// Programs open /dev/stdout anew, which needs the right to the file behind it.
Result<> give_stdio(uid_t uid) {
  for (int fd = 0; fd < 3; ++fd) {
    struct stat st {};
    if (::fstat(fd, &st) != 0 || st.st_uid == uid) continue;
    if (S_ISCHR(st.st_mode) && st.st_rdev == ::makedev(1, 3)) continue;
    if (::fchown(fd, uid, static_cast<gid_t>(-1)) == 0) continue;
    // Not ours to give: read-only files, other users' files in a user namespace.
    if (errno != EINVAL && errno != EPERM && errno != EROFS && errno != EACCES)
      return fail(errno, "give the user its standard streams");
  }
  return {};
}

Result<> set_user(const spec::User& user) {
  const auto& groups = user.additional_gids;
  // A user namespace may forbid setgroups(2); without groups to set nothing is lost.
  if (::setgroups(groups.size(), groups.data()) != 0 && !(errno == EPERM && groups.empty()))
    return fail(errno, "set additional groups");
  // The system calls and not libc's functions, which would stop other threads to tell them.
  TRY(during("set gid " + std::to_string(user.gid),
             succeed([&] { return ::syscall(SYS_setresgid, user.gid, user.gid, user.gid); })));
  return during("set uid " + std::to_string(user.uid),
                succeed([&] { return ::syscall(SYS_setresuid, user.uid, user.uid, user.uid); }));
}

Result<> close_others(unsigned preserved, std::vector<int> keep) {
  for (unsigned fd = 3; fd < 3 + preserved; ++fd)
    if (::fcntl(static_cast<int>(fd), F_SETFD, 0) != 0)
      return fail(errno, "preserved descriptor " + std::to_string(fd));
  std::erase_if(keep, [](int fd) { return fd < 0; });
  std::ranges::sort(keep);
  unsigned first = 3 + preserved;
  for (const int fd : keep) {
    const auto kept = static_cast<unsigned>(fd);
    if (kept > first) TRY(succeed([&] { return ::syscall(SYS_close_range, first, kept - 1, 0); }));
    first = std::max(first, kept + 1);
  }
  return during("close descriptors", succeed([&] { return ::syscall(SYS_close_range, first, ~0u, 0); }));
}

Result<> verify_directory() {
  std::array<char, PATH_MAX> path;
  // The system call says "(unreachable)" where libc would walk up the tree.
  if (::syscall(SYS_getcwd, path.data(), path.size()) < 0) return fail(errno, "process.cwd");
  if (path[0] == '/') return {};
  return bad_input("process.cwd is outside of the container's root: refused");
}

// As the container's root first, as the user where only the user may (a FUSE mount, say).
Result<> enter_directory(const std::string& path, bool& entered) {
  entered = ::chdir(path.c_str()) == 0;
  if (!entered && errno != EACCES && errno != EPERM) return fail(errno, "process.cwd: enter " + path);
  return entered ? verify_directory() : Result<>{};
}

Result<> install_early(const Command& command, Channel& channel) {
  const auto listener =
      TRY(during("install the seccomp filter", seccomp::install(command.filter, command.filter_flags)));
  if (!command.notifies) return {};
  const std::array fds{listener.get()};
  TRY(channel.send(Tag::agent, {}, fds));
  TRY(channel.expect(Tag::resume));
  return {};
}

Result<> set_capabilities(const spec::Process& process, bool early_filter, const Command& command,
                          Channel& channel) {
  const auto wanted = process.capabilities.value_or(spec::Capabilities{});
  if (early_filter && !process.no_new_privileges) TRY(install_early(command, channel));
  TRY(during("drop capabilities", capabilities::drop_bounding(wanted)));
  TRY(succeed([] { return ::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0); }));
  TRY(set_user(process.user));
  TRY(succeed([] { return ::prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0); }));
  TRY(during("set capabilities", capabilities::apply(wanted)));
  if (process.no_new_privileges) {
    TRY(during("set no_new_privs", succeed([] { return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); })));
    if (early_filter) TRY(install_early(command, channel));
  }
  return {};
}

void add_home(spec::Process& process) {
  if (!variable(process.env, "HOME").empty()) return;
  const auto passwd = sys::read_file("/etc/passwd");
  process.env.push_back("HOME=" + home_of(passwd ? *passwd : std::string(), process.user.uid));
}

}  // namespace

Result<std::string> become_user(Command& command, UniqueFd terminal, Channel& channel,
                                std::vector<int> keep) {
  auto& process = command.process;
  sys::reset_signals();
  TRY(take_terminal(terminal));
  terminal.reset();
  TRY(new_keyring(command.keyring));
  TRY(rlimits::apply(process.rlimits));
  TRY(give_stdio(process.user.uid));
  keep.push_back(channel.fd());
  TRY(close_others(command.preserve_fds, std::move(keep)));
  bool entered = false;
  TRY(enter_directory(process.cwd, entered));
  TRY(set_capabilities(process, command.filtered && (command.notifies || !process.no_new_privileges), command,
                       channel));
  if (!entered) {
    TRY(during("process.cwd: enter " + process.cwd, succeed([&] { return ::chdir(process.cwd.c_str()); })));
    TRY(verify_directory());
  }
  ::umask(process.user.umask.value_or(0022));
  add_home(process);
  return find_executable(process.args.front(), process.env);
}

}  // namespace nacre::runtime::process
