// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <optional>

#include "base/result.h"
#include "base/unique_fd.h"
#include "tools/nacre/container/record.h"
#include "tools/nacre/container/root_mount.h"
#include "tools/nacre/container/run_options.h"

namespace nacre::tool {

// A container from its creation to its removal, seen by its supervisor: the process that
// holds its lock and is the parent of its init and of its file system daemon.
class Container {
 public:
  // Claims an id, mounts the root, makes the cgroups, and creates the container through the
  // runtime with this process's standard streams. Nothing is left after an error.
  static Result<Container> create(const RunOptions& options);
  Container(Container&& other) noexcept;
  Container& operator=(Container&&) = delete;
  // A container that was not finish()ed is killed and removed with everything it wrote.
  ~Container();

  const Record& record() const { return claim_->record; }
  Result<> start();
  // Carries input, output and signals until the container's init ends; its exit code as a
  // shell reports it. `input` and `output` matter only with a terminal.
  Result<int> supervise(int input, int output);
  // Gives everything back; with --rm also what the container wrote.
  Result<> finish(int code);

 private:
  explicit Container(Claim claim) : claim_(std::move(claim)) {}
  Result<> set_up(const RunOptions& options);

  std::optional<Claim> claim_;
  std::optional<RootMount> root_;
  pid_t init_pid_ = -1;
  UniqueFd terminal_;  // master side of its pty
};

// Runs a container to its end; its exit code.
Result<int> run_foreground(const RunOptions& options);

// Starts a container with a supervisor of its own in the background; its id.
Result<std::string> run_detached(const RunOptions& options);

}  // namespace nacre::tool
