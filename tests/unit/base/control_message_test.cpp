// SPDX-License-Identifier: Apache-2.0
#include "base/control/message.h"

#include <gmock/gmock.h>

#include "tests/support/result_matchers.h"

namespace nacre::control {
namespace {

using test::FailsSaying;
using test::Succeeds;

TEST(ControlMessage, ARegistrationSurvivesTheTrip) {
  Request request{.operation = Operation::add, .version = kVersion, .registration = {}};
  request.registration = {"box-1", 4711, "/nacre/box-1", -123456789012345, true};
  const auto decoded = decode_request(encode(request));
  ASSERT_THAT(decoded, Succeeds());
  EXPECT_EQ(decoded->operation, Operation::add);
  EXPECT_EQ(decoded->registration.id, "box-1");
  EXPECT_EQ(decoded->registration.init, 4711);
  EXPECT_EQ(decoded->registration.cgroup_path, "/nacre/box-1");
  EXPECT_EQ(decoded->registration.boottime_offset, -123456789012345);
  EXPECT_TRUE(decoded->registration.own_time_namespace);
}

TEST(ControlMessage, EveryOperationHasAName) {
  for (const auto operation :
       {Operation::hello, Operation::add, Operation::add_listener, Operation::remove, Operation::status}) {
    const auto decoded = decode_request(encode({.operation = operation, .version = 1, .registration = {}}));
    ASSERT_THAT(decoded, Succeeds());
    EXPECT_EQ(decoded->operation, operation);
  }
}

TEST(ControlMessage, AnswersCarryTargetsStatusOrAnError) {
  Answer answer;
  answer.targets = {"/proc/meminfo", "/sys/devices/system/cpu"};
  answer.status = {12, 3, 45};
  auto decoded = decode_answer(encode(answer));
  ASSERT_THAT(decoded, Succeeds());
  EXPECT_FALSE(decoded->error);
  EXPECT_EQ(decoded->targets, answer.targets);
  EXPECT_EQ(decoded->status.pid, 12);
  EXPECT_EQ(decoded->status.containers, 3u);
  EXPECT_EQ(decoded->status.descriptors, 45u);

  answer.error = Error{EEXIST, "container x is already registered"};
  decoded = decode_answer(encode(answer));
  ASSERT_THAT(decoded, Succeeds());
  ASSERT_TRUE(decoded->error);
  EXPECT_EQ(decoded->error->code, EEXIST);
  EXPECT_EQ(decoded->error->context, "container x is already registered");
}

TEST(ControlMessage, TextThatIsNotUtf8IsSentAllTheSame) {
  Answer answer;
  answer.error = Error{EINVAL, "\xff\xfe"};
  EXPECT_THAT(decode_answer(encode(answer)), Succeeds());
}

class MalformedRequest : public ::testing::TestWithParam<std::string> {};
TEST_P(MalformedRequest, IsRefusedInWords) {
  EXPECT_THAT(decode_request(GetParam()), FailsSaying("control"));
}
INSTANTIATE_TEST_SUITE_P(Texts, MalformedRequest,
                         ::testing::Values("", "{", "[]", "1", "\"op\"", "null", "\xff", "{}", R"({"op":1})",
                                           R"({"op":"fly"})", R"({"op":"add","id":7})",
                                           R"({"op":"add","init":"1"})", R"({"op":"add","init":99999999999})",
                                           R"({"op":"add","init":1.5})",
                                           R"({"op":"add","own_time_namespace":1})",
                                           "{\"op\":\"add\",\"id\":\"a\\u0000b\"}", std::string(60000, '[')));

TEST(ControlMessage, AMalformedAnswerIsAnErrorToo) {
  for (const char* text : {"", "[]", R"({"targets":1})", R"({"targets":[1]})", R"({"errno":"x"})"})
    EXPECT_THAT(decode_answer(text), FailsSaying("malformed")) << text;
}

TEST(ContainerId, BecomesADirectoryName) {
  for (const char* good : {"a", "Box_1.2+3-4", "0", "-"}) EXPECT_TRUE(valid_id(good)) << good;
  for (const char* bad : {"", ".", "..", ".a", "a/b", "../a", "a b", "a\n", "\xc3\xa4", "a:b"})
    EXPECT_FALSE(valid_id(bad)) << bad;
  EXPECT_TRUE(valid_id(std::string(255, 'a')));
  EXPECT_FALSE(valid_id(std::string(256, 'a')));
}

}  // namespace
}  // namespace nacre::control
