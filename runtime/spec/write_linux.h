// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "runtime/spec/spec.h"

namespace nacre::runtime::spec {

// The members below "linux", as read() of parse_linux.h takes them.
nlohmann::ordered_json linux_json(const Linux& linux);

}  // namespace nacre::runtime::spec
