// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

namespace nacre {

// Runs `undo` when the scope is left, unless dismissed. For steps that must be undone
// when a later one fails.
template <typename Undo>
class [[nodiscard]] ScopeExit {
 public:
  explicit ScopeExit(Undo undo) : undo_(std::move(undo)) {}
  ScopeExit(const ScopeExit&) = delete;
  ScopeExit& operator=(const ScopeExit&) = delete;
  ~ScopeExit() {
    if (armed_) undo_();
  }
  void dismiss() { armed_ = false; }

 private:
  Undo undo_;
  bool armed_ = true;
};

}  // namespace nacre
