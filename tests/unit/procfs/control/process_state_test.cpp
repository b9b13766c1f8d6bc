// SPDX-License-Identifier: Apache-2.0
#include "procfs/control/process_state.h"

#include <gmock/gmock.h>

#include "tests/support/result_matchers.h"

namespace nacre::procfs {
namespace {

using test::FailsWith;
using test::Succeeds;

TEST(ProcessState, NamesTheContainerAndTheDescriptor) {
  const auto state = parse_process_state(
      R"({"ociVersion":"1.0.2","fds":["other","seccompFd"],"pid":4422,"metadata":"",)"
      R"("state":{"ociVersion":"1.0.2","id":"box","status":"creating","pid":4422,"bundle":"/b"}})");
  ASSERT_THAT(state, Succeeds());
  EXPECT_EQ(state->container, "box");
  EXPECT_EQ(state->listener, 1u);
}

TEST(ProcessState, AContainerMayHaveNoId) {
  for (const char* text :
       {R"({"fds":["seccompFd"],"pid":7,"state":{}})", R"({"fds":["seccompFd"],"pid":7,"state":{"id":5}})"}) {
    const auto state = parse_process_state(text);
    ASSERT_THAT(state, Succeeds());
    EXPECT_EQ(state->container, "");
  }
}

TEST(ProcessState, AnythingElseIsRefused) {
  for (const char* bad :
       {"", "{", "[]", "{}", R"({"fds":[],"pid":1,"state":{}})",
        R"({"fds":["seccompFd"],"state":{"id":"box"}})", R"({"fds":["seccompFd"],"pid":"1","state":{}})",
        R"({"fds":{},"pid":1,"state":{}})", R"({"fds":["seccompFd"],"pid":1,"state":[]})"})
    EXPECT_THAT(parse_process_state(bad), FailsWith(kBadInput)) << bad;
}

}  // namespace
}  // namespace nacre::procfs
