// SPDX-License-Identifier: Apache-2.0
#include "runtime/nesting.h"

#include <gmock/gmock.h>

#include "runtime/annotations.h"
#include "runtime/spec/defaults.h"
#include "tests/support/result_matchers.h"

namespace nacre::runtime {
namespace {

using test::FailsSaying;

spec::Spec nesting() {
  auto spec = spec::default_spec();
  spec.annotations[kNestingAnnotation] = "on";
  return spec;
}

TEST(Nesting, IsAskedFor) {
  EXPECT_FALSE(*allows_nesting(spec::default_spec()));
  auto spec = nesting();
  spec.annotations[kNestingAnnotation] = "off";
  EXPECT_FALSE(*allows_nesting(spec));
}

// What is masked is all that keeps such a root from the machine's settings.
TEST(Nesting, LiftsNoMaskOfARealRoot) {
  auto spec = nesting();
  ASSERT_FALSE(spec.linux_.masked_paths.empty());
  EXPECT_THAT(allows_nesting(spec), FailsSaying("maps nobody to root"));
  spec.linux_.masked_paths.clear();
  EXPECT_THAT(allows_nesting(spec), FailsSaying("maps nobody to root"));
  spec.linux_.readonly_paths.clear();
  EXPECT_TRUE(*allows_nesting(spec));
}

TEST(Nesting, AUserNamespaceHasToMapRootElsewhere) {
  auto spec = nesting();
  spec.linux_.namespaces.push_back({"user", ""});
  spec.linux_.uid_mappings = {{.container_id = 0, .host_id = 100000, .size = 1000}};
  EXPECT_TRUE(*allows_nesting(spec));
  spec.linux_.uid_mappings.push_back({.container_id = 1000, .host_id = 0, .size = 1});
  EXPECT_FALSE(allows_nesting(spec));
  // Of one that is joined nobody knows.
  spec = nesting();
  spec.linux_.namespaces.push_back({"user", "/proc/1/ns/user"});
  EXPECT_FALSE(allows_nesting(spec));
}

}  // namespace
}  // namespace nacre::runtime
