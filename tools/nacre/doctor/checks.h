// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

// What nacre needs of a machine, one check per requirement. Every check tries the thing
// itself; none looks at a version number.
namespace nacre::tool::doctor {

enum class Verdict { ok, degraded, missing };

struct Finding {
  Verdict verdict = Verdict::ok;
  std::string detail;  // what was found
  std::string fix;     // what to do; empty when ok
};

struct Check {
  const char* name;
  Finding (*run)();
};

// In the order they are printed.
const std::vector<Check>& checks();

}  // namespace nacre::tool::doctor
