// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/fuse.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

namespace nacre::fuse {

// The request that the calling thread answers, as the kernel sent it (include/uapi/linux/fuse.h): for what
// libfuse does not pass on.
class RawRequest {
 public:
  // The opcode is 0 outside of a request.
  static RawRequest current() { return RawRequest(bytes_); }

  std::uint32_t opcode() const {
    fuse_in_header header{};
    if (data_.size() >= sizeof(header)) std::memcpy(&header, data_.data(), sizeof(header));
    return header.opcode;
  }
  // What follows the header: nothing if that is shorter.
  template <typename Body>
  std::optional<Body> body() const {
    if (data_.size() < sizeof(fuse_in_header) + sizeof(Body)) return std::nullopt;
    Body body;
    std::memcpy(&body, data_.data() + sizeof(fuse_in_header), sizeof(body));
    return body;
  }

  // Makes it the calling thread's for as long as it lives.
  class Scope {
   public:
    explicit Scope(std::span<const std::byte> request) { bytes_ = request; }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope() { bytes_ = {}; }
  };

 private:
  explicit RawRequest(std::span<const std::byte> data) : data_(data) {}
  std::span<const std::byte> data_;
  static inline thread_local std::span<const std::byte> bytes_;
};

}  // namespace nacre::fuse
