// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <map>
#include <vector>

#include "runtime/seccomp/numbers.h"

// From tables of rules to classic BPF. The program finds the architecture, then the system call by
// binary search over ranges of numbers with the same answer: a handful of instructions for each call
// that the container makes, and a few hundred in all.
namespace nacre::runtime::seccomp {

enum class Compare { ne, lt, le, eq, ge, gt, masked_eq };

// argument OP value, unsigned and on 64 bits; masked_eq: (argument & value) == value_two.
struct Condition {
  unsigned argument = 0;
  Compare compare = Compare::eq;
  std::uint64_t value = 0, value_two = 0;
};

// Answers (SECCOMP_RET_*) when all conditions hold.
struct Rule {
  std::uint32_t answer = 0;
  std::vector<Condition> conditions;
};

// The first rule that holds answers; without any, the default does.
using Rules = std::vector<Rule>;
using CallTable = std::map<std::uint32_t, Rules>;  // by number

struct FilterTables {
  std::uint32_t default_answer = 0;
  std::uint32_t foreign_answer = 0;  // for calls of architectures that have no table
  std::map<Architecture, CallTable> tables;
};

std::vector<sock_filter> assemble(const FilterTables& tables);

}  // namespace nacre::runtime::seccomp
