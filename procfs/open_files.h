// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "procfs/tree.h"

namespace nacre::procfs {

// Files somebody has open. The text is made at open, so that errors are reported there, and
// again by every read at offset 0 after that: procps keeps descriptors and seeks back. All
// other reads return slices of that one text, so no reader sees half of two.
class OpenFiles {
 public:
  OpenFiles(Tree& tree, const Clock& clock) : tree_(tree), clock_(clock) {}

  Result<std::uint64_t> open(NodeId id, pid_t caller);
  // The whole current text for a read at `offset`. EBADF for an unknown handle.
  Result<std::shared_ptr<const std::string>> text(std::uint64_t handle, std::uint64_t offset);
  void release(std::uint64_t handle);

 private:
  struct OpenFile {
    Tree::File file;
    std::mutex mutex;  // held while rendering; taken before a Container's
    std::shared_ptr<const std::string> text;
    std::chrono::nanoseconds made_at{};
    bool read = false;  // the text has been read from its start
  };
  Result<> render(OpenFile& open_file);
  std::shared_ptr<OpenFile> find(std::uint64_t handle);

  Tree& tree_;
  const Clock& clock_;
  std::mutex mutex_;  // leaf
  std::unordered_map<std::uint64_t, std::shared_ptr<OpenFile>> files_;
  std::uint64_t last_ = 0;
};

}  // namespace nacre::procfs
