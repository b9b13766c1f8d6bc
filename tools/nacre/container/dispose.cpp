// SPDX-License-Identifier: Apache-2.0
#include "tools/nacre/container/dispose.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>

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

// Removes a folder that is a container's no more. Whoever locks it does the work; the one whose
// container it was waits for that.
Result<> remove_discarded(const std::string& folder, bool wait) {
  const auto opened = sys::open_at(AT_FDCWD, folder.c_str(), O_RDONLY | O_DIRECTORY);
  if (!opened && opened.error().code == ENOENT) return {};
  if (!opened) return fail(opened.error().code, "open " + folder);
  if (::flock(opened->get(), wait ? LOCK_EX : LOCK_EX | LOCK_NB) != 0) return {};
  return sys::remove_tree(folder);
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
  // Gone at once for everybody else: half a folder could look like one that a crash left, and
  // two would remove it.
  const auto discarded = discarded_directory(record.id);
  if (::rename(record.directory().c_str(), discarded.c_str()) != 0)
    return errno == ENOENT ? Result<>{} : fail(errno, "remove " + record.directory());
  return remove_discarded(discarded, true);
}

Result<std::vector<Error>> sweep() {
  std::vector<Error> failures;
  for (const auto& folder : TRY(discarded_directories()))
    if (auto done = remove_discarded(folder, false); !done) failures.push_back(std::move(done.error()));
  for (const auto& [record, lock] : TRY(find_stale())) {
    auto done = record.remove ? dispose(record) : release(record);
    if (done && !record.remove) done = save_exit_code(record, kKilled);
    if (!done) failures.push_back(std::move(done.error()));
  }
  return failures;
}

}  // namespace nacre::tool
