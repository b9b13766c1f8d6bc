// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>

#include <ostream>

#include "base/result.h"

namespace nacre {

// Failed assertions print errors in words.
inline void PrintTo(const Error& error, std::ostream* out) { *out << error.message(); }

namespace test {

MATCHER(Succeeds, "succeeds") {
  if (arg.has_value()) return true;
  *result_listener << "which failed: " << arg.error().message();
  return false;
}

MATCHER_P(FailsWith, code, "fails with errno " + ::testing::PrintToString(code)) {
  if (arg.has_value()) {
    *result_listener << "which succeeded";
    return false;
  }
  *result_listener << "which failed: " << arg.error().message();
  return arg.error().code == code;
}

// The error's text, as a user would read it.
MATCHER_P(FailsSaying, text, "fails, saying \"" + std::string(text) + "\"") {
  if (arg.has_value()) {
    *result_listener << "which succeeded";
    return false;
  }
  *result_listener << "which said: " << arg.error().message();
  return arg.error().message().find(text) != std::string::npos;
}

MATCHER_P(Yields, value, "yields the value") {
  if (!arg.has_value()) {
    *result_listener << "which failed: " << arg.error().message();
    return false;
  }
  return ::testing::ExplainMatchResult(value, *arg, result_listener);
}

}  // namespace test
}  // namespace nacre
