// SPDX-License-Identifier: Apache-2.0
#include "tools/nacre/container/stop.h"

#include <poll.h>
#include <signal.h>

#include "base/parse.h"
#include "base/sys/process.h"
#include "runtime/attend.h"
#include "runtime/container.h"
#include "tools/nacre/container/dispose.h"
#include "tools/nacre/paths.h"

namespace nacre::tool {
namespace {

// A supervisor needs this long at most when its container has ended.
constexpr int kSupervisorGrace = 15'000;  // milliseconds

Result<> end_init(const Record& record, unsigned seconds) {
  const auto state = TRY(runtime::state(runtime_directory(), record.id));
  auto init = sys::pidfd_open(state.pid);
  if (!init || !runs(record)) return {};
  if (seconds > 0 && runtime::handles_signal(state.pid, SIGTERM)) {
    static_cast<void>(sys::pidfd_signal(init->get(), SIGTERM));
    pollfd ended{init->get(), POLLIN, 0};
    if (::poll(&ended, 1, static_cast<int>(seconds) * 1000) == 1) return {};
  }
  return runtime::kill(runtime_directory(), record.id, SIGKILL, true);
}

// Removed by somebody else meanwhile: then what was wanted is done.
Result<> fine_if_gone(Error error) {
  if (error.code == ENOENT) return {};
  return std::unexpected(std::move(error));
}

// When the supervisor was killed, its work falls to us.
Result<> take_over(const Record& record) {
  auto lock = try_lock(record);
  if (!lock) return fine_if_gone(std::move(lock.error()));
  if (!*lock) return {};
  if (record.remove) return dispose(record);
  if (exit_code(record)) return {};
  TRY(release(record));
  return save_exit_code(record, 128 + SIGKILL);
}

}  // namespace

Result<> stop(const Record& record, unsigned seconds) {
  if (runs(record)) TRY(during("stop " + record.name, end_init(record, seconds)));
  if (!wait_unsupervised(record, kSupervisorGrace))
    return bad_input("stop " + record.name + ": its supervisor does not finish; run: nacre rm -f " +
                     record.name);
  return take_over(record);
}

Result<> remove(const Record& record, bool force) {
  auto lock = try_lock(record);
  if (!lock) return fine_if_gone(std::move(lock.error()));
  const bool supervised = !*lock;
  const bool alive = supervised || runs(record);
  if (alive && !force)
    return bad_input("container " + record.name + ": is running; stop it first (nacre stop " + record.name +
                     "), or use rm -f");
  if (supervised) {
    static_cast<void>(runtime::kill(runtime_directory(), record.id, SIGKILL, true));
    if (!wait_unsupervised(record, kSupervisorGrace)) kill_supervisor(record);
    lock = try_lock(record);
    if (!lock) return fine_if_gone(std::move(lock.error()));
  }
  return dispose(record);
}

}  // namespace nacre::tool
