// SPDX-License-Identifier: Apache-2.0
#include "runtime/seccomp/program.h"

#include <linux/audit.h>
#include <linux/seccomp.h>

#include <bit>
#include <cstddef>
#include <span>

namespace nacre::runtime::seccomp {
namespace {

using Code = std::vector<sock_filter>;

// A conditional jump reaches this far; beyond, it jumps to an unconditional one.
constexpr std::size_t kNear = 255;

sock_filter load(std::size_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}
sock_filter answer(std::uint32_t value) { return BPF_STMT(BPF_RET | BPF_K, value); }
void append(Code& code, const Code& more) { code.insert(code.end(), more.begin(), more.end()); }

// "if the accumulator OP value, `yes`; otherwise `no`", where neither falls through.
void branch(Code& code, std::uint16_t op, std::uint32_t value, const Code& yes, const Code& no) {
  const auto operation = static_cast<std::uint16_t>(BPF_JMP | op | BPF_K);
  if (no.size() <= kNear) {
    code.push_back(BPF_JUMP(operation, value, static_cast<std::uint8_t>(no.size()), 0));
  } else {
    code.push_back(BPF_JUMP(operation, value, 0, 1));
    code.push_back(BPF_STMT(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(no.size())));
  }
  append(code, no);
  append(code, yes);
}

// Where a test inside a condition goes; what is not decided goes on to the next instruction.
enum class Goes { on, holds, fails };
struct Test {
  sock_filter instruction;
  Goes yes = Goes::on, no = Goes::on;
};
Test plain(sock_filter instruction) { return {instruction}; }
Test test(std::uint16_t op, std::uint32_t value, Goes yes, Goes no) {
  return {BPF_JUMP(static_cast<std::uint16_t>(BPF_JMP | op | BPF_K), value, 0, 0), yes, no};
}

std::uint32_t high(std::uint64_t value) { return static_cast<std::uint32_t>(value >> 32); }
std::uint32_t low(std::uint64_t value) { return static_cast<std::uint32_t>(value); }

// The kernel gives arguments of 64 bits, and BPF has 32: the high half decides unless it is equal.
std::vector<Test> tests_of(const Condition& condition) {
  constexpr bool kLittle = std::endian::native == std::endian::little;
  const auto base = offsetof(seccomp_data, args) + condition.argument * sizeof(std::uint64_t);
  const auto load_high = plain(load(base + (kLittle ? 4 : 0))),
             load_low = plain(load(base + (kLittle ? 0 : 4)));
  const auto value = condition.value;
  switch (condition.compare) {
    case Compare::eq:
      return {load_high, test(BPF_JEQ, high(value), Goes::on, Goes::fails), load_low,
              test(BPF_JEQ, low(value), Goes::holds, Goes::fails)};
    case Compare::ne:
      return {load_high, test(BPF_JEQ, high(value), Goes::on, Goes::holds), load_low,
              test(BPF_JEQ, low(value), Goes::fails, Goes::holds)};
    case Compare::ge:
    case Compare::gt:
      return {
          load_high, test(BPF_JGT, high(value), Goes::holds, Goes::on),
          test(BPF_JEQ, high(value), Goes::on, Goes::fails), load_low,
          test(condition.compare == Compare::ge ? BPF_JGE : BPF_JGT, low(value), Goes::holds, Goes::fails)};
    case Compare::lt:
    case Compare::le:
      return {
          load_high, test(BPF_JGT, high(value), Goes::fails, Goes::on),
          test(BPF_JEQ, high(value), Goes::on, Goes::holds), load_low,
          test(condition.compare == Compare::lt ? BPF_JGE : BPF_JGT, low(value), Goes::fails, Goes::holds)};
    case Compare::masked_eq: break;
  }
  const auto wanted = condition.value_two & value;
  std::vector<Test> tests;
  if (high(value) != 0)
    tests = {load_high, plain(BPF_STMT(BPF_ALU | BPF_AND | BPF_K, high(value))),
             test(BPF_JEQ, high(wanted), Goes::on, Goes::fails)};
  tests.insert(tests.end(), {load_low, plain(BPF_STMT(BPF_ALU | BPF_AND | BPF_K, low(value))),
                             test(BPF_JEQ, low(wanted), Goes::holds, Goes::fails)});
  return tests;
}

// Returns the rule's answer, or falls through to what follows.
Code code_of(const Rule& rule) {
  std::vector<Test> all;
  std::vector<std::size_t> condition_end;  // of the condition that each test belongs to
  for (const auto& condition : rule.conditions) {
    const auto tests = tests_of(condition);
    condition_end.insert(condition_end.end(), tests.size(), all.size() + tests.size());
    all.insert(all.end(), tests.begin(), tests.end());
  }
  Code code;
  for (std::size_t at = 0; at < all.size(); ++at) {
    const auto distance = [&](Goes goes) {
      const auto target = goes == Goes::on      ? at + 1
                          : goes == Goes::holds ? condition_end[at]
                                                : all.size() + 1;
      return static_cast<std::uint8_t>(target - at - 1);
    };
    auto instruction = all[at].instruction;
    if (BPF_CLASS(instruction.code) == BPF_JMP) {
      instruction.jt = distance(all[at].yes);
      instruction.jf = distance(all[at].no);
    }
    code.push_back(instruction);
  }
  code.push_back(answer(rule.answer));
  return code;
}

Code code_of(const Rules& rules, std::uint32_t default_answer) {
  Code code;
  for (const auto& rule : rules) {
    append(code, code_of(rule));
    if (rule.conditions.empty()) return code;
  }
  code.push_back(answer(default_answer));
  return code;
}

bool same(const Code& a, const Code& b) {
  // Only plain answers are worth joining.
  return a.size() == 1 && b.size() == 1 && a.front().k == b.front().k;
}

// Numbers from `first` to that of the next range have the same answer.
struct Range {
  std::uint32_t first;
  Code code;
};

std::vector<Range> ranges_of(const CallTable& table, std::uint32_t default_answer) {
  std::vector<Range> ranges;
  const auto add = [&](std::uint32_t first, Code code) {
    if (!ranges.empty() && ranges.back().first == first) ranges.pop_back();
    if (ranges.empty() || !same(ranges.back().code, code)) ranges.push_back({first, std::move(code)});
  };
  add(0, {answer(default_answer)});
  for (const auto& [number, rules] : table) {
    add(number, code_of(rules, default_answer));
    add(number + 1, {answer(default_answer)});
  }
  return ranges;
}

// The accumulator holds the number.
Code search(std::span<const Range> ranges) {
  if (ranges.size() == 1) return ranges.front().code;
  const auto middle = ranges.size() / 2;
  Code code;
  branch(code, BPF_JGE, ranges[middle].first, search(ranges.subspan(middle)), search(ranges.first(middle)));
  return code;
}

Code code_of(const CallTable& table, std::uint32_t default_answer) {
  return search(ranges_of(table, default_answer));
}

// x86_64 and x32 look alike but for a bit of the number. A number of -1 is a call that a tracer has
// taken out.
Code x86_64_code(const FilterTables& filter) {
  const auto side = [&](Architecture architecture) {
    const auto table = filter.tables.find(architecture);
    return table == filter.tables.end() ? Code{answer(filter.foreign_answer)}
                                        : code_of(table->second, filter.default_answer);
  };
  Code x32;
  branch(x32, BPF_JEQ, 0xffffffff, {answer(filter.default_answer)}, side(kX32));
  Code code;
  branch(code, BPF_JGE, kX32Bit, x32, side(AUDIT_ARCH_X86_64));
  return code;
}

}  // namespace

std::vector<sock_filter> assemble(const FilterTables& filter) {
  std::map<std::uint32_t, Code> blocks;  // by AUDIT_ARCH
  for (const auto& [architecture, table] : filter.tables) {
    if (architecture == kX32 || architecture == AUDIT_ARCH_X86_64)
      blocks[AUDIT_ARCH_X86_64] = x86_64_code(filter);
    else
      blocks[architecture] = code_of(table, filter.default_answer);
  }
  Code code{answer(filter.foreign_answer)};
  for (const auto& [architecture, block] : blocks) {
    Code found{load(offsetof(seccomp_data, nr))};
    append(found, block);
    Code next;
    branch(next, BPF_JEQ, architecture, found, code);
    code = std::move(next);
  }
  code.insert(code.begin(), load(offsetof(seccomp_data, arch)));
  return code;
}

}  // namespace nacre::runtime::seccomp
