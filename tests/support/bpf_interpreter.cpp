// SPDX-License-Identifier: Apache-2.0
#include "tests/support/bpf_interpreter.h"

#include <cstring>

namespace nacre::test {
namespace {

struct Machine {
  std::uint32_t a = 0, x = 0;
  std::array<std::uint32_t, BPF_MEMWORDS> memory{};
};

std::optional<std::uint32_t> arithmetic(std::uint16_t operation, std::uint32_t a, std::uint32_t b) {
  switch (operation) {
    case BPF_ADD: return a + b;
    case BPF_SUB: return a - b;
    case BPF_MUL: return a * b;
    case BPF_DIV: return b == 0 ? std::nullopt : std::optional(a / b);
    case BPF_AND: return a & b;
    case BPF_OR: return a | b;
    case BPF_XOR: return a ^ b;
    case BPF_LSH: return b > 31 ? std::nullopt : std::optional(a << b);
    case BPF_RSH: return b > 31 ? std::nullopt : std::optional(a >> b);
    case BPF_NEG: return -a;
    default: return std::nullopt;
  }
}

std::optional<bool> condition(std::uint16_t operation, std::uint32_t a, std::uint32_t b) {
  switch (operation) {
    case BPF_JEQ: return a == b;
    case BPF_JGT: return a > b;
    case BPF_JGE: return a >= b;
    case BPF_JSET: return (a & b) != 0;
    default: return std::nullopt;
  }
}

std::optional<std::uint32_t> load(const sock_filter& instruction, const seccomp_data& data,
                                  const Machine& machine) {
  switch (instruction.code) {
    case BPF_LD | BPF_W | BPF_ABS: {
      if (instruction.k % 4 != 0 || instruction.k > sizeof data - 4) return std::nullopt;
      std::uint32_t word = 0;
      std::memcpy(&word, reinterpret_cast<const char*>(&data) + instruction.k, sizeof word);
      return word;
    }
    case BPF_LD | BPF_W | BPF_LEN:
    case BPF_LDX | BPF_W | BPF_LEN: return sizeof data;
    case BPF_LD | BPF_IMM:
    case BPF_LDX | BPF_IMM: return instruction.k;
    case BPF_LD | BPF_MEM:
    case BPF_LDX | BPF_MEM:
      return instruction.k < BPF_MEMWORDS ? std::optional(machine.memory[instruction.k]) : std::nullopt;
    default: return std::nullopt;
  }
}

}  // namespace

std::optional<std::uint32_t> run_filter(std::span<const sock_filter> program, const Syscall& call) {
  seccomp_data data{};
  data.nr = static_cast<int>(call.number);
  data.arch = call.architecture;
  for (std::size_t i = 0; i < call.arguments.size(); ++i) data.args[i] = call.arguments[i];

  Machine machine;
  for (std::size_t at = 0; at < program.size(); ++at) {
    const auto& instruction = program[at];
    const std::uint32_t operand = BPF_SRC(instruction.code) == BPF_X ? machine.x : instruction.k;
    switch (BPF_CLASS(instruction.code)) {
      case BPF_LD:
      case BPF_LDX: {
        const auto value = load(instruction, data, machine);
        if (!value) return std::nullopt;
        (BPF_CLASS(instruction.code) == BPF_LD ? machine.a : machine.x) = *value;
        break;
      }
      case BPF_ST:
      case BPF_STX:
        if (instruction.k >= BPF_MEMWORDS) return std::nullopt;
        machine.memory[instruction.k] = BPF_CLASS(instruction.code) == BPF_ST ? machine.a : machine.x;
        break;
      case BPF_ALU: {
        const auto value = arithmetic(BPF_OP(instruction.code), machine.a, operand);
        if (!value) return std::nullopt;
        machine.a = *value;
        break;
      }
      case BPF_JMP: {
        if (BPF_OP(instruction.code) == BPF_JA) {
          at += instruction.k;
          break;
        }
        const auto taken = condition(BPF_OP(instruction.code), machine.a, operand);
        if (!taken) return std::nullopt;
        at += *taken ? instruction.jt : instruction.jf;
        break;
      }
      case BPF_MISC:
        if (BPF_MISCOP(instruction.code) == BPF_TAX)
          machine.x = machine.a;
        else
          machine.a = machine.x;
        break;
      case BPF_RET: return BPF_RVAL(instruction.code) == BPF_A ? machine.a : instruction.k;
      default: return std::nullopt;
    }
  }
  return std::nullopt;
}

}  // namespace nacre::test
