// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace nacre::runtime {

// What is remembered about a container between two commands. Its status is never stored:
// it is computed, because processes die without telling.
struct State {
  std::string id;
  std::string oci_version;
  std::string bundle;       // absolute
  std::string rootfs;       // absolute
  std::string cgroup_path;  // in every hierarchy; empty without cgroups
  std::string owner;        // name of the user who created it, or its uid in digits
  pid_t pid = 0;            // the init, in the pid namespace of the command that created it; 0: none yet
  std::uint64_t start_ticks = 0;  // of that pid (proc_pid_stat(5)): a later process may get the number
  std::string created;            // RFC 3339 with nanoseconds, UTC
  std::map<std::string, std::string> annotations;
  bool started = false;          // `start` has opened the gate
  bool registered_view = false;  // nacre-procfs knows the container and has to forget it
};

// "creating" (no init yet), "created", "running", "paused" or "stopped" (runtime-spec runtime.md
// and runc's "paused"), from whether the init lives, the gate, and the cgroup's freezer.
std::string status(const State& state);
// The same, asking for the init and not for the freezer: cheap, for `kill` and `delete`.
bool init_lives(const State& state);

// What `state` prints and hooks read on stdin: ociVersion, id, pid (0 when stopped), status,
// bundle, rootfs, created, annotations, owner.
std::string to_oci_json(const State& state, std::string_view status);

// Now, as State::created wants it: "2026-01-02T15:04:05.123456789Z".
std::string rfc3339_now();

// One directory per container below `root`, holding "state.json" and whatever else a command
// keeps beside it. A crash leaves a directory that load() reports and remove() takes away, never
// half a file.
class Store {
 public:
  explicit Store(std::string root);

  // "^[a-zA-Z0-9_+-][a-zA-Z0-9_+.-]*$" and at most 255 bytes, as runc has it.
  static Result<> check_id(std::string_view id);

  // Claims the id: of two callers at the same time one wins, the other is told "container with
  // given ID already exists". Returns the container's directory, mode 0700.
  Result<std::string> create(const std::string& id);
  // An unknown id is the error `container "ID" does not exist`, in the words that engines look
  // for (and without an errno's text, which would mislead them); see exists(). A directory without a state
  // file is a container whose creation was cut short: a State with only id and pid 0.
  Result<State> load(const std::string& id) const;
  // Whether the id is taken. False for what cannot be an id.
  bool exists(std::string_view id) const;
  // Replaces the file at once; a reader sees the old state or the new.
  Result<> save(const State& state) const;
  // Removes the directory; a missing one is success.
  Result<> remove(const std::string& id) const;
  // Every id, sorted.
  Result<std::vector<std::string>> list() const;

  // Waits for the container's lock, held until the descriptor closes: commands that change a
  // container run one after the other. An error as for load() when there is no such container,
  // also when it was removed while waiting.
  Result<UniqueFd> lock(const std::string& id) const;

  std::string directory(const std::string& id) const;

 private:
  std::string root_;
};

}  // namespace nacre::runtime
