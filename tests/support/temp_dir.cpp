// SPDX-License-Identifier: Apache-2.0
#include "tests/support/temp_dir.h"

#include <cstdlib>
#include <stdexcept>

#include "base/sys/file.h"

namespace nacre::test {

TempDir::TempDir() : path_("/tmp/nacre-unit.XXXXXX") {
  if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
}

TempDir::~TempDir() { static_cast<void>(sys::remove_tree(path_)); }

}  // namespace nacre::test
