// SPDX-License-Identifier: Apache-2.0
#include "runtime/process/command.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/sys/checked.h"
#include "base/sys/file.h"
#include "base/sys/process.h"
#include "runtime/process/lookup.h"
#include "runtime/seccomp/filter.h"

namespace nacre::runtime::process {
namespace {

// The last entry of a variable is the one that counts; programs differ in which they take.
std::vector<std::string> last_of_each(const std::vector<std::string>& environment) {
  std::vector<std::string> result;
  for (const auto& entry : environment) {
    const auto name = entry.substr(0, entry.find('=') + 1);
    if (!name.empty()) std::erase_if(result, [&](const std::string& old) { return old.starts_with(name); });
    result.push_back(entry);
  }
  return result;
}

bool wants(const std::string& label) { return !label.empty() && label != "unconfined"; }

}  // namespace

Result<Command> prepare(const spec::Process& process, const std::optional<spec::Seccomp>& seccomp) {
  Command command;
  command.process = process;
  command.process.env = last_of_each(process.env);
  if (seccomp) {
    command.filter = TRY(during("linux.seccomp", seccomp::compile(*seccomp)));
    command.filter_flags = TRY(during("linux.seccomp", seccomp::flags_of(*seccomp)));
    command.filtered = true;
    command.notifies = seccomp::uses_notify(*seccomp);
  }
  return command;
}

Result<UniqueFd> open_label(const spec::Process& process) {
  if (wants(process.apparmor_profile)) {
    const auto enabled = sys::read_file("/sys/module/apparmor/parameters/enabled");
    if (!enabled || !enabled->starts_with('Y'))
      return bad_input("process.apparmorProfile is \"" + process.apparmor_profile +
                       "\", and this kernel has AppArmor off");
    auto own = sys::open_at(AT_FDCWD, "/proc/self/attr/apparmor/exec", O_WRONLY);
    return own ? std::move(own) : sys::open_at(AT_FDCWD, "/proc/self/attr/exec", O_WRONLY);
  }
  if (process.selinux_label.empty()) return UniqueFd{};
  if (!sys::exists("/sys/fs/selinux/enforce"))
    return bad_input("process.selinuxLabel is \"" + process.selinux_label +
                     "\", and this kernel has SELinux off");
  return sys::open_at(AT_FDCWD, "/proc/self/attr/exec", O_WRONLY);
}

Error execute(const Command& command, const std::string& file, const UniqueFd& label) {
  if (label) {
    const auto& process = command.process;
    const auto text =
        wants(process.apparmor_profile) ? "exec " + process.apparmor_profile : process.selinux_label;
    if (auto written = during("set the label \"" + text + "\"", sys::write_all(label.get(), text)); !written)
      return written.error();
  }
  const auto argv = sys::exec_array(command.process.args);
  const auto environment = sys::exec_array(command.process.env);
  // Without no_new_privs the filter needed CAP_SYS_ADMIN and is installed already; with an agent
  // it was needed while the parent could still pass the listener on.
  if (command.filtered && command.process.no_new_privileges && !command.notifies) {
    if (auto done =
            during("install the seccomp filter", seccomp::install(command.filter, command.filter_flags));
        !done)
      return done.error();
  }
  ::execve(file.c_str(), argv.data(), environment.data());
  const int code = errno;
  const auto& name = command.process.args.front();
  if (code == EACCES || code == EPERM) return {kUnusableCommand, "exec: \"" + name + "\": permission denied"};
  if (code == ENOENT)
    return {kNoCommand,
            "exec: \"" + name + "\": no such file or directory (its interpreter or loader is missing)"};
  if (code == ENOEXEC)
    return {kUnusableCommand, "exec: \"" + name + "\": exec format error (not a program for this machine)"};
  return {code, "exec: \"" + name + "\""};
}

Result<> become_namespace_root() {
  TRY(during("become the user namespace's root",
             sys::succeed([] { return ::syscall(SYS_setresgid, 0, 0, 0); })));
  return during("become the user namespace's root",
                sys::succeed([] { return ::syscall(SYS_setresuid, 0, 0, 0); }));
}

}  // namespace nacre::runtime::process
