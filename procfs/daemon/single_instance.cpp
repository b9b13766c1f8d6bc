// SPDX-License-Identifier: Apache-2.0
#include "procfs/daemon/single_instance.h"

#include <fcntl.h>
#include <sys/file.h>

#include <chrono>
#include <thread>

#include "base/control/protocol.h"
#include "base/sys/checked.h"
#include "base/sys/file.h"

namespace nacre::procfs {
namespace {

using namespace std::chrono_literals;
constexpr auto kPatience = 5s;
constexpr auto kPause = 20ms;

}  // namespace

Result<UniqueFd> become_the_only_one(const std::string& directory) {
  const auto path = directory + "/lock";
  auto lock = TRY(during("open " + path, sys::open_at(AT_FDCWD, path.c_str(), O_RDWR | O_CREAT, 0600)));
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    const auto taken = sys::succeed([&] { return ::flock(lock.get(), LOCK_EX | LOCK_NB); });
    if (taken) return lock;
    if (taken.error().code != EWOULDBLOCK)
      return during("lock " + path, Result<UniqueFd>(fail(taken.error().code)));
    if (auto client = control::Client::connect(directory + "/control")) {
      const auto status = client->status();
      return bad_input("another nacre-procfs" +
                       (status ? " (pid " + std::to_string(status->pid) + ")" : std::string()) +
                       " already serves " + directory);
    }
    if (std::chrono::steady_clock::now() >= deadline)
      return bad_input("another nacre-procfs holds " + path +
                       " but does not answer; end it or choose another --dir");
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace nacre::procfs
