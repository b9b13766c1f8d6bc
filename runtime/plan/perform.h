// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "runtime/kernel/kernel.h"
#include "runtime/plan/plan.h"

namespace nacre::runtime::plan {

// What a plan needs at hand: descriptors opened by the parent, and the parent itself.
struct Materials {
  int root = -1;                      // the root's detached mount; -1: the plan has no root
  std::span<const UniqueFd> joins;    // as in Plan::joins
  std::span<const UniqueFd> sources;  // as in Plan::sources
  struct View {
    std::string target;
    UniqueFd mount;
  };
  std::vector<View> view;
  std::function<Result<>()> create_hooks;
  std::function<Result<>(UniqueFd master)> give_terminal;
  UniqueFd terminal;  // out: the slave of OpenTerminal
};

// Carries the steps out one by one. The error of a failing one begins with its description.
Result<> perform(kernel::Kernel& kernel, const Plan& plan, Materials& materials);

}  // namespace nacre::runtime::plan
