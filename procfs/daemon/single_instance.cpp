// SPDX-License-Identifier: Apache-2.0
#include "procfs/daemon/single_instance.h"

#include <fcntl.h>
#include <sys/file.h>

#include <optional>
#include <thread>

#include "base/control/protocol.h"
#include "base/log.h"
#include "base/sys/checked.h"
#include "base/sys/file.h"

namespace nacre::procfs {
namespace {

using namespace std::chrono_literals;
constexpr auto kStart = 5s;
constexpr auto kPause = 20ms;

// Tries for so long, or until `enough` says so. Does it have the lock then?
template <typename Enough>
Result<bool> take(const UniqueFd& lock, std::chrono::seconds patience, Enough enough) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (;;) {
    const auto taken = sys::succeed([&] { return ::flock(lock.get(), LOCK_EX | LOCK_NB); });
    if (taken) return true;
    if (taken.error().code != EWOULDBLOCK) return fail(taken.error().code);
    if (enough() || std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace

Result<UniqueFd> become_the_only_one(const std::string& directory, std::chrono::seconds patience) {
  const auto path = directory + "/lock";
  auto lock = TRY(during("open " + path, sys::open_at(AT_FDCWD, path.c_str(), O_RDWR | O_CREAT, 0600)));
  std::optional<std::string> serves;
  const auto answers = [&] {
    auto client = control::Client::connect(directory + "/control");
    if (!client) return false;
    const auto status = client->status();
    serves = "another nacre-procfs" +
             (status ? " (pid " + std::to_string(status->pid) + ")" : std::string()) + " already serves " +
             directory;
    return true;
  };
  if (TRY(during("lock " + path, take(lock, kStart, answers)))) return lock;
  if (!serves)
    return bad_input("another nacre-procfs holds " + path +
                     " but does not answer; end it or choose another --dir");
  // Not asked again: it ends for lack of containers only while nobody asks.
  if (patience > 0s) log::info(*serves + ": waiting for its end");
  if (TRY(during("lock " + path, take(lock, patience, [] { return false; })))) return lock;
  return bad_input(*serves);
}

}  // namespace nacre::procfs
