// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "procfs/pressure/triggers.h"
#include "procfs/tree.h"

namespace nacre::procfs {

// Files somebody has open. The text is made at open, so that errors are reported there, and
// again by every read at offset 0 after that: procps keeps descriptors and seeks back. All
// other reads return slices of that one text, so no reader sees half of two.
class OpenFiles {
 public:
  // Without `triggers` nobody can wait for pressure. With a state a successor goes on with the files that are
  // open.
  OpenFiles(Tree& tree, const Clock& clock, PressureTriggers* triggers = nullptr, StateFile* state = nullptr);

  Result<std::uint64_t> open(NodeId id, pid_t caller);
  // A file that the kernel has open, and who asks.
  struct Handle {
    std::uint64_t number = 0;
    NodeId id{};
    pid_t caller = 0;
    std::uint64_t poller = 0;  // of poll(): by which the kernel knows who waits; 0 for nobody
  };
  // The whole current text for a read at `offset`.
  Result<std::shared_ptr<const std::string>> text(const Handle& handle, std::uint64_t offset);
  void release(std::uint64_t handle);

  // What is written to a pressure file; see PressureTriggers::arm(). EBUSY: this one has a trigger
  // already. EINVAL: nothing can be written to this file.
  Result<> write(const Handle& handle, std::string_view text);
  // What poll(2) says of it (POLL*); `wake` is called when that changes.
  Result<unsigned> poll(const Handle& handle, std::function<void()> wake);
  // Those who waited when a predecessor ended, for Session::wake_poller(): they ask again.
  std::vector<std::uint64_t> left_waiting() const;

  // Bytes of text of one container in the state, which all share: beyond it a file whose reader is in the
  // middle of it when the daemon is replaced goes on in a new text.
  static constexpr std::size_t kMostKeptText = 512u << 10;

 private:
  enum Kept : unsigned { text_kept = 1, trigger_kept = 2, poller_kept = 4 };
  struct OpenFile {
    Tree::File file;
    std::mutex mutex;  // held while rendering; taken before a Container's
    std::shared_ptr<const std::string> text;
    std::chrono::nanoseconds made_at{};
    bool read = false;          // the text has been read from its start
    unsigned kept = 0;          // Kept: what of it is in the state
    std::size_t kept_text = 0;  // bytes of that text; guarded by OpenFiles::mutex_
    std::shared_ptr<PressureTrigger> trigger;
    std::string armed;  // what a predecessor's trigger was written with; it may not have said so yet
  };
  Result<> render(OpenFile& open_file);
  void keep_text(std::uint64_t handle, OpenFile& open_file);
  // One of a predecessor's is opened anew, and goes on with the text that was being read. ESTALE, ESRCH: its
  // container is gone.
  Result<std::shared_ptr<OpenFile>> find(const Handle& handle);
  Result<std::shared_ptr<PressureTrigger>> arm(const Tree::File& file, std::string_view text);

  Tree& tree_;
  const Clock& clock_;
  PressureTriggers* const triggers_;
  StateFile* const state_;
  std::mutex mutex_;  // leaf
  std::unordered_map<std::uint64_t, std::shared_ptr<OpenFile>> files_;
  std::unordered_map<ContainerNumber, std::size_t> kept_text_;  // bytes in the state, by container
  std::uint64_t last_;
};

}  // namespace nacre::procfs
