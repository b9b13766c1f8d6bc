// SPDX-License-Identifier: Apache-2.0
// nacre-fs with the defect that NACRE_DEFECT names; "--defects" lists them all.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "fs/program.h"
#include "tests/defects/defective_layer.h"
#include "tests/defects/escape.h"

int main(int argc, char** argv) {
  using nacre::test::DefectiveLayer;
  const std::vector<std::string_view> arguments(argv + std::min(argc, 1), argv + argc);
  const auto defects = DefectiveLayer::defects();
  if (arguments.size() == 1 && arguments[0] == "--defects") {
    for (const auto name : defects) std::printf("%s\n", std::string(name).c_str());
    return 0;
  }
  const char* const defect = std::getenv("NACRE_DEFECT");
  if (defect == nullptr || (defect != nacre::test::kEscape &&
                            std::ranges::find(defects, std::string_view(defect)) == defects.end())) {
    std::fputs("set NACRE_DEFECT to one of those that --defects lists\n", stderr);
    return 2;
  }
  return nacre::fs::run_program(
      arguments, [&](auto upper) { return std::make_unique<DefectiveLayer>(std::move(upper), defect); });
}
