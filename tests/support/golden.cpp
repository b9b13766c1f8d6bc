// SPDX-License-Identifier: Apache-2.0
#include "tests/support/golden.h"

#include <cstdlib>

#include "base/sys/file.h"

namespace nacre::test {

::testing::AssertionResult matches_golden(std::string_view text, const std::string& name) {
  const std::string path = std::string(NACRE_SOURCE_DIR) + "/tests/golden/" + name;
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    static_cast<void>(sys::make_directories(path.substr(0, path.find_last_of('/'))));
    static_cast<void>(sys::create_file(path, text));
  }
  const auto expected = sys::read_file(path);
  if (!expected) return ::testing::AssertionFailure() << expected.error().message();
  if (*expected == text) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "differs from " << name << ":\n"
                                       << text << "expected:\n"
                                       << *expected;
}

}  // namespace nacre::test
