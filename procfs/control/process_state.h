// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nacre::procfs {

// What an OCI runtime sends to the listenerPath of a seccomp profile, with descriptors beside it (OCI
// runtime-spec, config-linux, "The Container Process State").
struct ProcessState {
  std::string container;     // its id
  std::size_t listener = 0;  // which of the descriptors
};
Result<ProcessState> parse_process_state(std::string_view text);

}  // namespace nacre::procfs
