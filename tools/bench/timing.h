// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace nacre::bench {

// Nanoseconds per call of action(i), i from 0 to count - 1.
template <typename Action>
double time_each(int count, const Action& action) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < count; ++i) action(i);
  const auto spent = std::chrono::steady_clock::now() - start;
  return std::chrono::duration<double, std::nano>(spent).count() / count;
}

// A measurement that fails is worth nothing: says what failed and ends the program.
inline void must(bool succeeded, const char* what) {
  if (succeeded) return;
  std::perror(what);
  std::exit(1);
}

}  // namespace nacre::bench
