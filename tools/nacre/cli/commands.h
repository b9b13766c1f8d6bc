// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <vector>

#include "base/result.h"

namespace CLI {
class App;
}

// The commands of nacre, a file each. A file declares its command's options and says what
// to do when the command is the one that was typed.
namespace nacre::tool::cli {

// Exit codes that are not the container's own, as podman has them.
inline constexpr int kNacreFailed = 125;
inline constexpr int kCannotExecute = 126;
inline constexpr int kNotFound = 127;

// Gives the exit code of the program.
using Action = std::function<Result<int>()>;

// Adds the command to `app`; `chosen` is set to its action when the user typed it.
using Declare = void (*)(CLI::App& app, Action& chosen);

void declare_run(CLI::App& app, Action& chosen);
void declare_exec(CLI::App& app, Action& chosen);
void declare_ps(CLI::App& app, Action& chosen);
void declare_stop(CLI::App& app, Action& chosen);
void declare_rm(CLI::App& app, Action& chosen);
void declare_logs(CLI::App& app, Action& chosen);
void declare_attach(CLI::App& app, Action& chosen);
void declare_detach(CLI::App& app, Action& chosen);
void declare_hook(CLI::App& app, Action& chosen);
void declare_seccomp_profile(CLI::App& app, Action& chosen);
void declare_doctor(CLI::App& app, Action& chosen);

}  // namespace nacre::tool::cli
