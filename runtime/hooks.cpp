// SPDX-License-Identifier: Apache-2.0
#include "runtime/hooks.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/sys/checked.h"
#include "base/sys/file.h"
#include "base/sys/process.h"

namespace nacre::runtime {
namespace {

// The last line that the hook wrote, with a colon before it.
std::string last_words(const UniqueFd& output) {
  if (::lseek(output.get(), 0, SEEK_SET) != 0) return {};
  const auto text = sys::read_all(output.get());
  if (!text || trim(*text).empty()) return {};
  const auto said = trim(*text);
  return ": " + std::string(said.substr(said.find_last_of('\n') + 1));
}

// Whether it ended in time.
Result<bool> wait_with_timeout(const UniqueFd& pidfd, const spec::Hook& hook) {
  if (!hook.timeout_seconds) return true;
  pollfd ended{.fd = pidfd.get(), .events = POLLIN, .revents = 0};
  return TRY(sys::checked([&] { return ::poll(&ended, 1, *hook.timeout_seconds * 1000); })) > 0;
}

Result<> run(const spec::Hook& hook, std::string_view state) {
  const auto input = TRY(sys::memory_file("state", state));
  const auto output = TRY(sys::memory_file("hook", ""));
  sys::SpawnOptions options;
  // argv[0] is the path for spawn(); hooks see it as theirs whatever args[0] says.
  options.argv = {hook.path};
  if (hook.args.size() > 1) options.argv.insert(options.argv.end(), hook.args.begin() + 1, hook.args.end());
  options.environment = hook.env;
  options.fds = {{input.get(), 0}, {output.get(), 1}, {output.get(), 2}};
  const auto pid = TRY(sys::spawn(options));
  const auto pidfd = TRY(sys::pidfd_open(pid));
  const bool in_time = TRY(wait_with_timeout(pidfd, hook));
  if (!in_time) TRY(sys::pidfd_signal(pidfd.get(), SIGKILL));
  const int status = TRY(sys::wait_for(pid));
  if (!in_time) return bad_input("did not end within " + std::to_string(*hook.timeout_seconds) + " s");
  if (status != 0) return bad_input("exit status " + std::to_string(status) + last_words(output));
  return {};
}

}  // namespace

Result<> run_hooks(const char* kind, const std::vector<spec::Hook>& hooks, std::string_view state) {
  for (const auto& hook : hooks) TRY(during(std::string(kind) + " hook " + hook.path, run(hook, state)));
  return {};
}

}  // namespace nacre::runtime
