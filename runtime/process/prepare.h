// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "runtime/plan/plan.h"
#include "runtime/spec/spec.h"

// What the parent does from outside, before and just after the container's first process exists.
namespace nacre::runtime::process {

Result<std::vector<UniqueFd>> open_joins(const std::vector<plan::JoinNamespace>& joins);
// Detached clones of everything to be bound into the container.
Result<std::vector<UniqueFd>> open_sources(const std::vector<plan::Source>& sources);
// The root as a detached mount: a clone of the directory at `path`, or of `given` when >= 0.
Result<UniqueFd> open_root(const std::string& path, int given);

Result<> write_id_maps(pid_t pid, const std::vector<spec::IdMapping>& uids,
                       const std::vector<spec::IdMapping>& gids);
Result<> set_oom_score(pid_t pid, int score);
// Descriptors 3 … 2+count must be open (--preserve-fds).
Result<> check_preserved(unsigned count);

}  // namespace nacre::runtime::process
