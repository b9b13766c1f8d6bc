// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "runtime/plan/plan.h"
#include "runtime/process/command.h"

namespace nacre::runtime::process {

// What the container's first process is born with.
struct InitJob {
  const spec::Spec* spec = nullptr;
  plan::Plan plan;
  std::vector<UniqueFd> joins, sources;  // as in the plan
  UniqueFd root;
  UniqueFd gate;
  Command command;
};

// How a process takes part in the view (a part of the `proceed` note).
enum class ViewFilter { none, sysinfo, affinity };

// The text of a `proceed` note: the filter, the state for hooks, the targets of the view.
std::string proceed_text(ViewFilter filter, const std::string& state,
                         const std::vector<std::string>& targets);

// Installs the view's filter and hands the listener over; returns when it is served.
Result<> install_view_filter(ViewFilter filter, Channel& channel);

struct Proceed {
  ViewFilter filter = ViewFilter::none;
  std::string state;
  std::vector<std::string> targets;
  std::vector<UniqueFd> mounts;
};
Result<Proceed> await_proceed(Channel& channel);

// The life of the first process from clone to exec. Does not return.
[[noreturn]] void run_init(InitJob& job, UniqueFd channel);

}  // namespace nacre::runtime::process
