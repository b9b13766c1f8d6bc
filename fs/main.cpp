// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include "fs/program.h"

int main(int argc, char** argv) {
  const std::vector<std::string_view> arguments(argv + std::min(argc, 1), argv + argc);
  return nacre::fs::run_program(arguments);
}
