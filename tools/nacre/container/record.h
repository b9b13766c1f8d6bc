// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace nacre::tool {

// What nacre knows of a container, kept as record.json in the container's own folder
// beside upper/, work/, log and exit-code.
struct Record {
  std::string id, name, image;
  std::vector<std::string> layers, command, environment;
  std::string workdir, user;
  std::int64_t created = 0;  // seconds since the epoch
  bool remove = false;       // --rm: nothing stays when it ends
  bool detached = false;
  bool affinity = false;  // sched_getaffinity(2) answers within the CPU quota

  std::string directory() const;
  std::string upper() const { return directory() + "/upper"; }
  std::string work() const { return directory() + "/work"; }
  std::string log() const { return directory() + "/log"; }
  std::string fs_log() const { return directory() + "/fs-log"; }
  std::string cgroup() const;          // carries the limits
  std::string payload_cgroup() const;  // the container's processes
  std::string fs_cgroup() const;       // its file system daemon
};

// A new container's folder. Whoever holds `lock` is its supervisor: as long as the lock is
// held, nobody else may clean up.
struct Claim {
  Record record;
  UniqueFd lock;
};

// Chooses an id (12 hexadecimal digits) and makes the folder. EEXIST naming the other when
// the name is taken.
Result<Claim> claim(Record record);
Result<> save(const Record& record);
Result<> save_exit_code(const Record& record, int code);
// Nothing while it runs, or when it ended with its supervisor killed.
std::optional<int> exit_code(const Record& record);

// Every container there is; folders without a readable record are given with only an id.
Result<std::vector<Record>> all_records();
// The name a container's folder gets when it is no container any more and only its files are
// left to be removed, and all folders of such a name.
std::string discarded_directory(const std::string& id);
Result<std::vector<std::string>> discarded_directories();
// By id, a unique beginning of one, or name. ENOENT-like bad_input when there is none.
Result<Record> find_record(std::string_view id_or_name);

// The supervisor's lock: nothing while a supervisor lives.
Result<std::optional<UniqueFd>> try_lock(const Record& record);
// Waits until the supervisor has gone, or `milliseconds` have passed; true when it has.
bool wait_unsupervised(const Record& record, int milliseconds);

// Whether somebody looks after the container. Waits a moment for the remains of a supervisor
// that was just killed.
bool supervised(const Record& record);

// SIGKILL for a supervisor that hangs; waits a moment for its lock to go.
void kill_supervisor(const Record& record);

// Serialises claiming and sweeping between all nacre programs.
Result<UniqueFd> lock_all();

}  // namespace nacre::tool
