// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

// Where nacre keeps things. Each has an environment variable of its own, so that tests and
// several installations never meet.
namespace nacre::tool {

// Run-time state that a reboot may forget: NACRE_STATE_DIR or /run/nacre.
std::string state_directory();
// The runtime library's part of it.
std::string runtime_directory();
// Images and what containers wrote: NACRE_DATA_DIR or /var/lib/nacre.
std::string data_directory();
std::string containers_directory();
// The path of another program of ours ("nacre-fs"): beside this one, or found in PATH.
std::string program(const char* name);

}  // namespace nacre::tool
