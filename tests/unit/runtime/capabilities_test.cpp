// SPDX-License-Identifier: Apache-2.0
#include "runtime/capabilities.h"

#include <gmock/gmock.h>
#include <linux/securebits.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <functional>

#include "base/parse.h"
#include "base/sys/file.h"
#include "tests/support/result_matchers.h"

namespace nacre::runtime::capabilities {
namespace {

using test::FailsSaying;
using test::Succeeds;

TEST(CapabilitiesTest, TheDefaultIsPodmans) {
  EXPECT_EQ(default_capabilities().size(), 11u);
  spec::Capabilities wanted;
  wanted.bounding = wanted.effective = wanted.permitted = default_capabilities();
  EXPECT_THAT(validate(wanted), Succeeds());
}

TEST(CapabilitiesTest, UnknownNamesAreNamed) {
  spec::Capabilities wanted;
  wanted.bounding = {"CAP_CHOWN", "CAP_FLY"};
  EXPECT_THAT(validate(wanted), FailsSaying("unknown capability \"CAP_FLY\" in the bounding set"));
  EXPECT_THAT(drop_bounding(wanted), FailsSaying("CAP_FLY"));
  wanted.bounding = {"chown"};
  EXPECT_THAT(validate(wanted), FailsSaying("names look like CAP_NET_ADMIN"));
}

TEST(CapabilitiesTest, SetsThatTheKernelWouldRefuseAreNamed) {
  spec::Capabilities wanted;
  wanted.effective = {"CAP_KILL"};
  EXPECT_THAT(validate(wanted), FailsSaying("effective capability CAP_KILL is not in the permitted set"));
  wanted.permitted = {"CAP_KILL"};
  EXPECT_THAT(validate(wanted), Succeeds());
}

// buildah asks for such; they are left out, as runc leaves them out.
TEST(CapabilitiesTest, AmbientOnesThatCannotBeAreNoError) {
  spec::Capabilities wanted;
  wanted.permitted = wanted.ambient = {"CAP_KILL"};
  EXPECT_THAT(validate(wanted), Succeeds());
}

std::uint64_t bit(cap_value_t capability) { return std::uint64_t{1} << capability; }

// "CapEff" and the like of /proc/self/status.
std::uint64_t own(std::string_view set) {
  const auto text = *sys::read_file("/proc/self/status");
  for (const auto line : split(text, '\n'))
    if (line.starts_with(set)) return *parse_int<std::uint64_t>(trim(line.substr(set.size() + 1)), 16);
  return 0;
}

class RealCapabilitiesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0 || (own("CapEff") & bit(CAP_SETPCAP)) == 0)
      GTEST_SKIP() << "needs root with CAP_SETPCAP";
  }
  // The number of the expectation that failed, 0 when none did.
  static int in_child(const std::function<int()>& body) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(body());
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
  }
};

TEST_F(RealCapabilitiesTest, EverySetIsExactlyWhatWasAskedFor) {
  EXPECT_EQ(in_child([] {
              spec::Capabilities wanted;
              wanted.bounding = {"CAP_KILL", "CAP_CHOWN", "CAP_SETPCAP"};
              wanted.permitted = {"CAP_KILL", "CAP_CHOWN"};
              wanted.effective = {"CAP_KILL"};
              wanted.inheritable = {"CAP_KILL"};
              wanted.ambient = {"CAP_KILL"};
              if (!drop_bounding(wanted) || !apply(wanted)) return 1;
              if (own("CapBnd:") != (bit(CAP_KILL) | bit(CAP_CHOWN) | bit(CAP_SETPCAP))) return 2;
              if (own("CapPrm:") != (bit(CAP_KILL) | bit(CAP_CHOWN))) return 3;
              if (own("CapEff:") != bit(CAP_KILL)) return 4;
              if (own("CapInh:") != bit(CAP_KILL)) return 5;
              if (own("CapAmb:") != bit(CAP_KILL)) return 6;
              return 0;
            }),
            0);
}

TEST_F(RealCapabilitiesTest, NothingIsInheritableUnlessAsked) {
  EXPECT_EQ(in_child([] {
              spec::Capabilities wanted;
              wanted.bounding = wanted.permitted = wanted.effective = default_capabilities();
              if (!drop_bounding(wanted) || !apply(wanted)) return 1;
              return own("CapInh:") == 0 && own("CapAmb:") == 0 ? 0 : 2;
            }),
            0);
}

// Engines list every capability for a privileged container; some may be missing on the host.
TEST_F(RealCapabilitiesTest, WhatTheHostHoldsBackIsLeftOut) {
  EXPECT_EQ(in_child([] {
              if (::prctl(PR_CAPBSET_DROP, CAP_SYS_TIME, 0, 0, 0) != 0) return 1;
              spec::Capabilities first;
              first.permitted = first.effective = {"CAP_SETPCAP", "CAP_KILL"};
              if (!apply(first)) return 2;
              spec::Capabilities all;
              all.bounding = all.permitted = all.effective = {"CAP_KILL", "CAP_SYS_TIME", "CAP_SYS_RESOURCE"};
              all.inheritable = all.ambient = {"CAP_KILL", "CAP_SYS_TIME"};
              if (!drop_bounding(all) || !apply(all)) return 3;
              if ((own("CapBnd:") & bit(CAP_SYS_TIME)) != 0) return 4;
              return own("CapPrm:") == bit(CAP_KILL) && own("CapAmb:") == bit(CAP_KILL) ? 0 : 5;
            }),
            0);
}

// The order of the runtime: keep capabilities over the change of user, then set them.
TEST_F(RealCapabilitiesTest, AmbientOnesSurviveTheChangeOfUserAndExec) {
  EXPECT_EQ(in_child([] {
              spec::Capabilities wanted;
              wanted.bounding = wanted.permitted = wanted.effective = wanted.inheritable =
                  wanted.ambient = {"CAP_NET_BIND_SERVICE"};
              if (!drop_bounding(wanted)) return 1;
              ::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
              if (::setresuid(65534, 65534, 65534) != 0) return 2;
              if (!apply(wanted)) return 3;
              ::execl("/bin/sh", "sh", "-c", "grep -q 'CapEff:.*0000000000000400' /proc/self/status",
                      nullptr);
              return 4;
            }),
            0);
}

}  // namespace
}  // namespace nacre::runtime::capabilities
