// SPDX-License-Identifier: Apache-2.0
#include "runtime/cgroup/devices.h"

#include <gmock/gmock.h>

#include <cstdint>

#include "tests/support/result_matchers.h"

namespace nacre::runtime::devices {
namespace {

using spec::DeviceRule;
using test::FailsSaying;
using test::Succeeds;
using ::testing::Contains;
using ::testing::Each;
using ::testing::Field;
using ::testing::Not;

// What a device program answers, for the few instructions that it is made of.
bool run(const std::vector<bpf_insn>& program, char type, std::uint32_t major, std::uint32_t minor,
         const std::string& access) {
  std::uint32_t bits = 0;
  for (const char letter : access)
    bits |= letter == 'r' ? BPF_DEVCG_ACC_READ : letter == 'w' ? BPF_DEVCG_ACC_WRITE : BPF_DEVCG_ACC_MKNOD;
  const std::uint32_t context[]{bits << 16 | (type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR), major,
                                minor};
  std::uint64_t registers[11]{};
  for (std::size_t at = 0; at < program.size(); ++at) {
    const auto& i = program[at];
    auto& target = registers[i.dst_reg];
    const auto value = static_cast<std::uint32_t>(i.imm);
    switch (i.code) {
      case BPF_LDX | BPF_MEM | BPF_W: target = context[i.off / 4]; break;
      case BPF_ALU | BPF_MOV | BPF_X: target = registers[i.src_reg]; break;
      case BPF_ALU | BPF_MOV | BPF_K: target = value; break;
      case BPF_ALU | BPF_AND | BPF_K: target &= value; break;
      case BPF_ALU | BPF_RSH | BPF_K: target >>= value; break;
      case BPF_JMP | BPF_JNE | BPF_K: at += target != value ? i.off : 0; break;
      case BPF_JMP | BPF_JSET | BPF_K: at += (target & value) != 0 ? i.off : 0; break;
      case BPF_JMP | BPF_JA: at += i.off; break;
      case BPF_JMP | BPF_EXIT: return registers[0] == 1;
      default: ADD_FAILURE() << "instruction " << int{i.code}; return false;
    }
  }
  ADD_FAILURE() << "the program has no end";
  return false;
}

std::vector<bpf_insn> program_of(const std::vector<DeviceRule>& rules) {
  const auto all = complete(rules);
  EXPECT_THAT(all, Succeeds());
  return v2_program(all.value_or(std::vector<DeviceRule>{}));
}

std::vector<V1Write> v1_of(const std::vector<DeviceRule>& rules) {
  const auto all = complete(rules);
  EXPECT_THAT(all, Succeeds());
  const auto writes = v1_writes(all.value_or(std::vector<DeviceRule>{}));
  EXPECT_THAT(writes, Succeeds());
  return writes.value_or(std::vector<V1Write>{});
}

const DeviceRule kDenyAll{};
const DeviceRule kAllowAll{true, "a", {}, {}, "rwm"};
DeviceRule allow(const char* type, std::optional<std::int64_t> major, std::optional<std::int64_t> minor,
                 const char* access) {
  return {true, type, major, minor, access};
}
DeviceRule deny(const char* type, std::optional<std::int64_t> major, std::optional<std::int64_t> minor,
                const char* access) {
  return {false, type, major, minor, access};
}

TEST(DeviceProgramTest, EveryContainerHasTheUsualDevices) {
  const auto program = program_of({kDenyAll});
  for (const std::uint32_t minor : {3u, 5u, 7u, 8u, 9u})
    EXPECT_TRUE(run(program, 'c', 1, minor, "rw")) << minor;
  EXPECT_TRUE(run(program, 'c', 5, 0, "rw"));
  EXPECT_TRUE(run(program, 'c', 5, 2, "rwm"));
  EXPECT_TRUE(run(program, 'c', 136, 17, "rw"));
  EXPECT_TRUE(run(program, 'b', 8, 0, "m")) << "making a node is harmless";
  EXPECT_FALSE(run(program, 'b', 8, 0, "r"));
  EXPECT_FALSE(run(program, 'b', 8, 0, "rm"));
  EXPECT_FALSE(run(program, 'c', 1, 11, "r")) << "kmsg";
  EXPECT_FALSE(run(program, 'b', 1, 3, "r")) << "a block device with the numbers of null";
}

TEST(DeviceProgramTest, ALaterRuleDecides) {
  const auto program = program_of({kDenyAll, allow("b", 8, {}, "rwm"), deny("b", 8, 16, "w")});
  EXPECT_TRUE(run(program, 'b', 8, 0, "rw"));
  EXPECT_TRUE(run(program, 'b', 8, 16, "r"));
  EXPECT_FALSE(run(program, 'b', 8, 16, "w"));
  EXPECT_FALSE(run(program, 'b', 8, 16, "rw")) << "O_RDWR wants both";
}

TEST(DeviceProgramTest, SeparateAllowancesAddUp) {
  const auto program = program_of({kDenyAll, allow("b", 8, 0, "r"), allow("b", 8, {}, "w")});
  EXPECT_TRUE(run(program, 'b', 8, 0, "rw"));
  EXPECT_FALSE(run(program, 'b', 8, 1, "rw"));
  EXPECT_TRUE(run(program, 'b', 8, 1, "w"));
}

TEST(DeviceProgramTest, EverythingBeforeARuleForAllIsForgotten) {
  const auto all = program_of({deny("b", 8, 0, "rwm"), kAllowAll});
  EXPECT_TRUE(run(all, 'b', 8, 0, "rwm"));
  const auto none = program_of({allow("b", 8, 0, "rwm"), kDenyAll});
  EXPECT_FALSE(run(none, 'b', 8, 0, "r"));
}

TEST(DeviceProgramTest, WhatIsAskedForIsChecked) {
  EXPECT_THAT(complete({allow("x", 1, 1, "r")}), FailsSaying("the type is a, b or c"));
  EXPECT_THAT(complete({allow("c", 1, 1, "rx")}), FailsSaying("r, w and m"));
  EXPECT_THAT(complete({allow("c", -1, 1, "r")}), FailsSaying("allow c -1:1 r"));
  EXPECT_THAT(complete({allow("a", 1, 1, "r")}), FailsSaying("every device"));
}

TEST(DeviceV1Test, OneDefaultAndItsExceptions) {
  const auto denied = v1_of({kDenyAll, allow("b", 8, 0, "rw")});
  EXPECT_EQ(denied.front(), (V1Write{false, "a"}));
  EXPECT_THAT(denied, Contains(V1Write{true, "b 8:0 rw"}));
  EXPECT_THAT(denied, Contains(V1Write{true, "c 136:* rwm"}));
  EXPECT_THAT(denied, Contains(V1Write{true, "c *:* m"}));
  const auto allowed = v1_of({kAllowAll, deny("b", 8, 0, "rwm")});
  EXPECT_THAT(allowed, ::testing::ElementsAre(V1Write{true, "a"}, V1Write{false, "b 8:0 rw"}))
      << "mknod is everybody's";
}

TEST(DeviceV1Test, ExceptionsAreTakenBackExactlyOrRefused) {
  EXPECT_THAT(v1_of({kDenyAll, allow("b", 8, 0, "rwm"), deny("b", 8, 0, "w")}),
              Contains(V1Write{true, "b 8:0 rm"}));
  EXPECT_THAT(v1_of({kDenyAll, allow("b", 8, 0, "rw"), deny("b", 8, {}, "rw")}),
              Not(Contains(V1Write{true, "b 8:0 rw"})));
  const auto partial = complete({kDenyAll, allow("b", 8, {}, "rw"), deny("b", 8, 0, "w")});
  ASSERT_THAT(partial, Succeeds());
  EXPECT_THAT(v1_writes(*partial), FailsSaying("cannot take a part out of \"allow b 8:* rw\""));
}

// v1 (as the kernel reads its lines) and v2 mean the same.
TEST(DeviceTest, BothVersionsAgree) {
  const std::vector<std::vector<DeviceRule>> lists{
      {kDenyAll},
      {kAllowAll},
      {kAllowAll, deny("b", 8, {}, "rwm"), deny("c", 10, 1, "w")},
      {kDenyAll, allow("b", 8, 0, "r"), allow("b", 8, 0, "w"), allow("c", {}, {}, "r")},
      {allow("c", 10, {}, "rwm"), deny("c", 10, {}, "w")},
  };
  for (const auto& rules : lists) {
    const auto program = program_of(rules);
    const auto writes = v1_of(rules);
    const auto v1_allows = [&](char type, int major, int minor, char access) {
      const auto number = [](int value) { return std::to_string(value); };
      for (const auto& w : writes) {
        if (w.text == "a") continue;
        const auto matches = [&](const std::string& ma, const std::string& mi) {
          return w.text.starts_with(std::string(1, type) + " " + ma + ":" + mi + " ") &&
                 w.text.find(access, w.text.rfind(' ')) != std::string::npos;
        };
        if (matches(number(major), number(minor)) || matches(number(major), "*") || matches("*", "*"))
          return w.allow;
      }
      return writes.front().allow;
    };
    for (const char type : {'b', 'c'})
      for (const int major : {1, 5, 8, 10, 136})
        for (const int minor : {0, 1, 3, 200})
          for (const char access : {'r', 'w', 'm'})
            EXPECT_EQ(run(program, type, static_cast<std::uint32_t>(major), static_cast<std::uint32_t>(minor),
                          std::string(1, access)),
                      v1_allows(type, major, minor, access))
                << type << " " << major << ":" << minor << " " << access;
  }
}

}  // namespace
}  // namespace nacre::runtime::devices
