// SPDX-License-Identifier: Apache-2.0
#include "runtime/flow.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace nacre::runtime {
namespace {

bool later() { return errno == EAGAIN || errno == EINTR; }

}  // namespace

std::string_view Flow::fill() {
  const auto size = ::read(from_, buffer_.data(), buffer_.size());
  if (size <= 0) {
    if (size == 0 || !later()) from_ = -1;
    return {};
  }
  const std::string_view bytes(buffer_.data(), static_cast<std::size_t>(size));
  if (to_ >= 0) rest_ = bytes;
  return bytes;
}

void Flow::put(std::string_view bytes) {
  const auto size = std::min(bytes.size(), buffer_.size());
  std::ranges::copy(bytes.substr(0, size), buffer_.begin());
  if (to_ >= 0) rest_ = {buffer_.data(), size};
}

bool Flow::drain() {
  const auto size = ::write(to_, rest_.data(), rest_.size());
  if (size < 0 && later()) return true;
  if (size < 0) {
    to_ = -1;
    rest_ = {};
    return false;
  }
  rest_.remove_prefix(static_cast<std::size_t>(size));
  return true;
}

void Flow::stop() {
  from_ = to_ = -1;
  rest_ = {};
}

}  // namespace nacre::runtime
