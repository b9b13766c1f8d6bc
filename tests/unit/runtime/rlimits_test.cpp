// SPDX-License-Identifier: Apache-2.0
#include "runtime/rlimits.h"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "tests/support/result_matchers.h"

namespace nacre::runtime::rlimits {
namespace {

using test::FailsSaying;
using test::Succeeds;

TEST(RlimitsTest, NonsenseIsNamed) {
  EXPECT_THAT(validate({{"RLIMIT_NOFILE", 1024, 4096}, {"RLIMIT_CORE", 0, 0}}), Succeeds());
  EXPECT_THAT(validate({{"RLIMIT_FILES", 1, 1}}), FailsSaying("unknown rlimit \"RLIMIT_FILES\""));
  EXPECT_THAT(validate({{"RLIMIT_CORE", 1, 1}, {"RLIMIT_CORE", 1, 1}}),
              FailsSaying("RLIMIT_CORE is given twice"));
  EXPECT_THAT(validate({{"RLIMIT_CORE", 2, 1}}),
              FailsSaying("RLIMIT_CORE (soft 2, hard 1): soft is above hard"));
}

int in_child(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

TEST(RlimitsTest, AreSetOnTheCaller) {
  EXPECT_EQ(in_child([] {
              if (!apply({{"RLIMIT_NOFILE", 64, 128}, {"RLIMIT_CORE", 0, 0}})) return 1;
              rlimit files{}, core{};
              ::getrlimit(RLIMIT_NOFILE, &files);
              ::getrlimit(RLIMIT_CORE, &core);
              return files.rlim_cur == 64 && files.rlim_max == 128 && core.rlim_max == 0 ? 0 : 2;
            }),
            0);
}

TEST(RlimitsTest, RaisingWithoutTheRightSaysWhatIsMissing) {
  EXPECT_EQ(in_child([] {
              if (!apply({{"RLIMIT_CORE", 10, 10}})) return 1;
              if (::geteuid() == 0 && ::setresuid(65534, 65534, 65534) != 0) return 2;
              const auto raised = apply({{"RLIMIT_CORE", 20, 30}});
              if (raised) return 3;
              const auto text = raised.error().message();
              return text.find("RLIMIT_CORE (soft 20, hard 30) (the hard limit is 10") != std::string::npos &&
                             text.find("CAP_SYS_RESOURCE") != std::string::npos
                         ? 0
                         : 4;
            }),
            0);
}

}  // namespace
}  // namespace nacre::runtime::rlimits
