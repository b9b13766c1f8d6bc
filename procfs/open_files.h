// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "procfs/pressure/triggers.h"
#include "procfs/tree.h"

namespace nacre::procfs {

// Files somebody has open. The text is made at open, so that errors are reported there, and
// again by every read at offset 0 after that: procps keeps descriptors and seeks back. All
// other reads return slices of that one text, so no reader sees half of two.
class OpenFiles {
 public:
  // Without `triggers` nobody can wait for pressure.
  OpenFiles(Tree& tree, const Clock& clock, PressureTriggers* triggers = nullptr)
      : tree_(tree), clock_(clock), triggers_(triggers) {}

  Result<std::uint64_t> open(NodeId id, pid_t caller);
  // The whole current text for a read at `offset`. EBADF for an unknown handle.
  Result<std::shared_ptr<const std::string>> text(std::uint64_t handle, std::uint64_t offset);
  void release(std::uint64_t handle);

  // What is written to a pressure file; see PressureTriggers::arm(). EBUSY: this one has a trigger
  // already. EINVAL: nothing can be written to this file.
  Result<> write(std::uint64_t handle, std::string_view text);
  // What poll(2) says of it (POLL*); `wake` is called when that changes.
  Result<unsigned> poll(std::uint64_t handle, std::function<void()> wake);

 private:
  struct OpenFile {
    Tree::File file;
    std::mutex mutex;  // held while rendering; taken before a Container's
    std::shared_ptr<const std::string> text;
    std::chrono::nanoseconds made_at{};
    bool read = false;  // the text has been read from its start
    std::shared_ptr<PressureTrigger> trigger;
  };
  Result<> render(OpenFile& open_file);
  std::shared_ptr<OpenFile> find(std::uint64_t handle);

  Tree& tree_;
  const Clock& clock_;
  PressureTriggers* const triggers_;
  std::mutex mutex_;  // leaf
  std::unordered_map<std::uint64_t, std::shared_ptr<OpenFile>> files_;
  std::uint64_t last_ = 0;
};

}  // namespace nacre::procfs
