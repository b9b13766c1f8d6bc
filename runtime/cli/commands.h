// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

// The commands of nacre-runtime, as engines call them: the union of runc's and crun's options.
namespace nacre::runtime::cli {

struct Invocation {
  std::string root;
  std::string log;  // file; empty: none
  std::string log_format = "text";
  bool debug = false;
  // What follows the first positional argument of `exec` and `ps`: never options of ours.
  std::vector<std::string> rest;
  // The chosen command; returns the program's exit status.
  std::function<Result<int>()> action;
  int failure_status = 1;
};

void declare_create(CLI::App& app, Invocation& call);
void declare_run(CLI::App& app, Invocation& call);
void declare_start(CLI::App& app, Invocation& call);
void declare_state(CLI::App& app, Invocation& call);
void declare_kill(CLI::App& app, Invocation& call);
void declare_delete(CLI::App& app, Invocation& call);
void declare_exec(CLI::App& app, Invocation& call);
void declare_list(CLI::App& app, Invocation& call);
void declare_ps(CLI::App& app, Invocation& call);
void declare_pause(CLI::App& app, Invocation& call);
void declare_features(CLI::App& app, Invocation& call);
void declare_spec(CLI::App& app, Invocation& call);

// Writes to standard output; the error is the write's.
Result<> print(const std::string& text);

}  // namespace nacre::runtime::cli
