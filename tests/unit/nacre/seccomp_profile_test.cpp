// SPDX-License-Identifier: Apache-2.0
#include "tools/nacre/view/seccomp_profile.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/support/result_matchers.h"

namespace nacre::tool {
namespace {

using Json = nlohmann::json;
using test::FailsWith;
using test::Succeeds;

TEST(SeccompProfile, OneRuleForOurCallsAndTheOthersAsTheyWere) {
  const auto made = with_view_calls(
      R"({"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38,"syscalls":[)"
      R"({"names":["read","sysinfo","write"],"action":"SCMP_ACT_ALLOW","includes":{"caps":["CAP_X"]}},)"
      R"({"name":"sysinfo","action":"SCMP_ACT_LOG"},{"names":["sched_getaffinity"],"action":"SCMP_ACT_ALLOW"}]})",
      "/run/s", false);
  ASSERT_THAT(made, Succeeds());
  EXPECT_EQ(
      Json::parse(*made),
      Json::parse(
          R"({"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38,"listenerPath":"/run/s","syscalls":[)"
          R"({"names":["read","write"],"action":"SCMP_ACT_ALLOW","includes":{"caps":["CAP_X"]}},)"
          R"({"names":["sched_getaffinity"],"action":"SCMP_ACT_ALLOW"},)"
          R"({"names":["sysinfo"],"action":"SCMP_ACT_NOTIFY"}]})"));
}

TEST(SeccompProfile, AffinityIfAskedFor) {
  const auto made = with_view_calls(R"({"defaultAction":"SCMP_ACT_ALLOW"})", "/run/s", true);
  ASSERT_THAT(made, Succeeds());
  EXPECT_EQ(Json::parse(*made)["syscalls"][0]["names"], Json::parse(R"(["sysinfo","sched_getaffinity"])"));
}

TEST(SeccompProfile, WhatIsNoneOrHasAListenerIsRefused) {
  for (const char* bad : {"", "[]", "{}", R"({"defaultAction":"SCMP_ACT_ALLOW","syscalls":{}})",
                          R"({"defaultAction":"SCMP_ACT_ALLOW","syscalls":[5]})",
                          R"({"defaultAction":"SCMP_ACT_ALLOW","listenerPath":"/x"})"})
    EXPECT_THAT(with_view_calls(bad, "/run/s", false), FailsWith(kBadInput)) << bad;
}

}  // namespace
}  // namespace nacre::tool
