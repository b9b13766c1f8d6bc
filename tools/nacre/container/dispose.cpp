// SPDX-License-Identifier: Apache-2.0
#include "tools/nacre/container/dispose.h"

#include <signal.h>

#include "base/cgroup/hierarchy.h"
#include "base/sys/file.h"
#include "runtime/cgroup/manager.h"
#include "runtime/container.h"
#include "tools/nacre/paths.h"

namespace nacre::tool {
namespace {

constexpr int kKilled = 128 + SIGKILL;

struct Stale {
  Record record;
  UniqueFd lock;
};

// The containers whose supervisor is gone but whose remains are not. Taken under the global
// lock, so that a container just being made is never among them.
Result<std::vector<Stale>> find_stale() {
  std::vector<Stale> stale;
  const auto serialised = TRY(lock_all());
  for (auto& record : TRY(all_records())) {
    if ((!record.remove && exit_code(record)) || supervised(record)) continue;
    auto lock = try_lock(record);
    if (!lock || !*lock) continue;
    if (record.detached && runs(record)) continue;
    stale.push_back({std::move(record), std::move(**lock)});
  }
  return stale;
}

}  // namespace

bool runs(const Record& record) {
  const auto state = runtime::state(runtime_directory(), record.id);
  return state && runtime::init_lives(*state);
}

Result<> release(const Record& record) {
  const auto hierarchies = TRY(cgroup::Hierarchies::detect());
  auto cgroup = TRY(runtime::CgroupManager::open(hierarchies, record.cgroup()));
  // Processes first: the file system daemon ends when nobody refers to its mount any more.
  auto payload = TRY(runtime::CgroupManager::open(hierarchies, record.payload_cgroup()));
  TRY(payload.kill_all(SIGKILL));
  TRY(runtime::remove(runtime_directory(), record.id, true));
  TRY(cgroup.kill_all(SIGKILL));
  return cgroup.remove();
}

Result<> dispose(const Record& record) {
  TRY(during("container " + record.name, release(record)));
  return sys::remove_tree(record.directory());
}

Result<std::vector<Error>> sweep() {
  std::vector<Error> failures;
  for (const auto& [record, lock] : TRY(find_stale())) {
    auto done = record.remove ? dispose(record) : release(record);
    if (done && !record.remove) done = save_exit_code(record, kKilled);
    if (!done) failures.push_back(std::move(done.error()));
  }
  return failures;
}

}  // namespace nacre::tool
