// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace nacre::test {

// Is `text` that of tests/golden/NAME? UPDATE_GOLDEN=1 writes it instead; git diff reviews.
::testing::AssertionResult matches_golden(std::string_view text, const std::string& name);

}  // namespace nacre::test
