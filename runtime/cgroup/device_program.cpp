// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <array>
#include <cstdint>
#include <cstring>

#include "base/scope_exit.h"
#include "base/sys/checked.h"
#include "base/sys/file.h"
#include "base/unique_fd.h"
#include "runtime/cgroup/devices.h"

namespace nacre::runtime::devices {
namespace {

// Registers of the program: what is left of the request, and the device it is for.
constexpr std::uint8_t kContext = BPF_REG_1, kType = BPF_REG_2, kAccess = BPF_REG_3, kMajor = BPF_REG_4,
                       kMinor = BPF_REG_5, kAnswer = BPF_REG_0;

bpf_insn instruction(int code, std::uint8_t dst, std::uint8_t src, std::int16_t offset,
                     std::int32_t immediate) {
  bpf_insn result{};
  result.code = static_cast<std::uint8_t>(code);
  result.dst_reg = dst & 0xf;
  result.src_reg = src & 0xf;
  result.off = offset;
  result.imm = immediate;
  return result;
}
bpf_insn load_word(std::uint8_t dst, std::size_t offset) {
  return instruction(BPF_LDX | BPF_MEM | BPF_W, dst, kContext, static_cast<std::int16_t>(offset), 0);
}
bpf_insn operate(int operation, std::uint8_t dst, std::int32_t value) {
  return instruction(BPF_ALU | BPF_K | operation, dst, 0, 0, value);
}
bpf_insn jump(int condition, std::uint8_t dst, std::int32_t value, std::size_t over) {
  return instruction(BPF_JMP | BPF_K | condition, dst, 0, static_cast<std::int16_t>(over), value);
}
void answer(std::vector<bpf_insn>& out, bool allow) {
  out.push_back(operate(BPF_MOV, kAnswer, allow ? 1 : 0));
  out.push_back(instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
}

std::int32_t access_bits(const std::string& access) {
  std::int32_t bits = 0;
  for (const char letter : access)
    bits |= letter == 'r' ? BPF_DEVCG_ACC_READ : letter == 'w' ? BPF_DEVCG_ACC_WRITE : BPF_DEVCG_ACC_MKNOD;
  return bits;
}
constexpr std::int32_t kEveryAccess = BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE | BPF_DEVCG_ACC_MKNOD;

// Code of one rule; falls through when it does not decide.
void add_rule(const spec::DeviceRule& rule, std::vector<bpf_insn>& out) {
  const auto bits = access_bits(rule.access);
  std::vector<bpf_insn> body;
  if (bits == kEveryAccess) {
    answer(body, rule.allow);
  } else if (rule.allow) {
    body.push_back(operate(BPF_AND, kAccess, kEveryAccess & ~bits));
    body.push_back(jump(BPF_JNE, kAccess, 0, 2));
    answer(body, true);
  } else {
    body.push_back(jump(BPF_JSET, kAccess, bits, 1));
    body.push_back(instruction(BPF_JMP | BPF_JA, 0, 0, 2, 0));
    answer(body, false);
  }

  std::vector<std::pair<std::uint8_t, std::int32_t>> conditions;
  if (rule.type != "a")
    conditions.emplace_back(kType, rule.type == "b" ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
  if (rule.major) conditions.emplace_back(kMajor, static_cast<std::int32_t>(*rule.major));
  if (rule.minor) conditions.emplace_back(kMinor, static_cast<std::int32_t>(*rule.minor));
  for (std::size_t i = 0; i < conditions.size(); ++i)
    out.push_back(
        jump(BPF_JNE, conditions[i].first, conditions[i].second, conditions.size() - 1 - i + body.size()));
  out.insert(out.end(), body.begin(), body.end());
}

template <typename T>
std::uint64_t address_of(const T* pointer) {
  return reinterpret_cast<std::uintptr_t>(pointer);
}

Result<long> bpf(int command, bpf_attr& attributes) {
  return sys::checked([&] { return ::syscall(SYS_bpf, command, &attributes, sizeof attributes); });
}

Result<UniqueFd> load_once(const std::vector<bpf_insn>& program) {
  bpf_attr attributes{};
  attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  attributes.insns = address_of(program.data());
  attributes.insn_cnt = static_cast<std::uint32_t>(program.size());
  attributes.license = address_of("Apache-2.0");
  return UniqueFd{static_cast<int>(TRY(bpf(BPF_PROG_LOAD, attributes)))};
}

// Before Linux 5.11 a program counts against RLIMIT_MEMLOCK, and the error is EPERM.
Result<UniqueFd> load(const std::vector<bpf_insn>& program) {
  auto loaded = load_once(program);
  if (loaded || loaded.error().code != EPERM) return loaded;
  rlimit before{};
  if (::getrlimit(RLIMIT_MEMLOCK, &before) != 0) return loaded;
  const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
  if (::setrlimit(RLIMIT_MEMLOCK, &unlimited) != 0) return loaded;
  const ScopeExit restore{[&] { ::setrlimit(RLIMIT_MEMLOCK, &before); }};
  return load_once(program);
}

Result<std::vector<std::uint32_t>> attached_programs(int cgroup) {
  std::array<std::uint32_t, 64> ids{};  // the kernel allows no more on one cgroup
  bpf_attr attributes{};
  attributes.query.target_fd = static_cast<std::uint32_t>(cgroup);
  attributes.query.attach_type = BPF_CGROUP_DEVICE;
  attributes.query.prog_ids = address_of(ids.data());
  attributes.query.prog_cnt = ids.size();
  TRY(bpf(BPF_PROG_QUERY, attributes));
  return std::vector<std::uint32_t>(ids.begin(), ids.begin() + attributes.query.prog_cnt);
}

Result<UniqueFd> program_by_id(std::uint32_t id) {
  bpf_attr attributes{};
  attributes.prog_id = id;
  return UniqueFd{static_cast<int>(TRY(bpf(BPF_PROG_GET_FD_BY_ID, attributes)))};
}

bpf_attr attachment(int cgroup, int program) {
  bpf_attr attributes{};
  attributes.target_fd = static_cast<std::uint32_t>(cgroup);
  attributes.attach_bpf_fd = static_cast<std::uint32_t>(program);
  attributes.attach_type = BPF_CGROUP_DEVICE;
  return attributes;
}

Result<> attach_to(int cgroup, int program) {
  std::vector<UniqueFd> old;
  for (const auto id : TRY(attached_programs(cgroup))) old.push_back(TRY(program_by_id(id)));

  auto attributes = attachment(cgroup, program);
  attributes.attach_flags = BPF_F_ALLOW_MULTI;
  if (old.size() == 1) {
    attributes.attach_flags |= BPF_F_REPLACE;
    attributes.replace_bpf_fd = static_cast<std::uint32_t>(old.front().get());
    if (bpf(BPF_PROG_ATTACH, attributes)) return {};
    // Linux 5.5 or older cannot replace: both for a moment, and all of them must allow.
    attributes.attach_flags = BPF_F_ALLOW_MULTI;
    attributes.replace_bpf_fd = 0;
  }
  TRY(bpf(BPF_PROG_ATTACH, attributes));
  for (const auto& previous : old) {
    auto detach = attachment(cgroup, previous.get());
    TRY(bpf(BPF_PROG_DETACH, detach));
  }
  return {};
}

}  // namespace

std::vector<bpf_insn> v2_program(const std::vector<spec::DeviceRule>& rules) {
  std::vector<bpf_insn> program{
      load_word(kType, offsetof(bpf_cgroup_dev_ctx, access_type)),
      instruction(BPF_ALU | BPF_MOV | BPF_X, kAccess, kType, 0, 0),
      operate(BPF_AND, kType, 0xffff),
      operate(BPF_RSH, kAccess, 16),
      load_word(kMajor, offsetof(bpf_cgroup_dev_ctx, major)),
      load_word(kMinor, offsetof(bpf_cgroup_dev_ctx, minor)),
  };
  for (auto rule = rules.rbegin(); rule != rules.rend(); ++rule) {
    add_rule(*rule, program);
    // Nothing behind it can be reached, which the kernel's verifier would refuse.
    if (rule->type == "a") return program;
  }
  answer(program, false);
  return program;
}

Result<> attach(const std::string& directory, const std::vector<bpf_insn>& program) {
  const auto step = "device rules of cgroup " + directory;
  const auto loaded = TRY(during(step + ": load the program", load(program)));
  const auto cgroup = TRY(during(step, sys::open_at(AT_FDCWD, directory.c_str(), O_RDONLY | O_DIRECTORY)));
  return during(step + ": attach the program", attach_to(cgroup.get(), loaded.get()));
}

}  // namespace nacre::runtime::devices
