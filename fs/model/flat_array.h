// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

namespace nacre::fs {

// A zero-filled array that grows in place: elements are addressed by number and never
// move, and the whole is one range of address space without a pointer in it, so that it
// could as well be a shared memory file. Not thread-safe.
template <typename T>
class FlatArray {
  static_assert(std::is_trivially_copyable_v<T>, "elements are plain memory");

 public:
  // Only address space is taken up to `capacity` elements; memory is used as it grows.
  explicit FlatArray(std::size_t capacity) : reserved_(round_up(capacity * sizeof(T))) {
    void* const memory =
        ::mmap(nullptr, reserved_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    data_ = static_cast<T*>(memory);
  }
  FlatArray(const FlatArray&) = delete;
  FlatArray& operator=(const FlatArray&) = delete;
  void swap(FlatArray& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(reserved_, other.reserved_);
    std::swap(usable_, other.usable_);
    std::swap(size_, other.size_);
  }
  ~FlatArray() { ::munmap(data_, reserved_); }

  std::size_t size() const { return size_; }
  T& operator[](std::size_t index) { return data_[index]; }
  const T& operator[](std::size_t index) const { return data_[index]; }

  // Throws std::bad_alloc beyond the capacity or when memory is short.
  void grow(std::size_t size) {
    const std::size_t need = round_up(size * sizeof(T));
    if (need > reserved_) throw std::bad_alloc();
    if (need > usable_) {
      auto* const bytes = reinterpret_cast<std::byte*>(data_);
      if (::mprotect(bytes + usable_, need - usable_, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
      usable_ = need;
    }
    if (size > size_) size_ = size;
  }
  // Gives back the memory behind the first `size` elements; they are zeros when it grows again.
  void shrink(std::size_t size) {
    if (size >= size_) return;
    auto* const bytes = reinterpret_cast<std::byte*>(data_);
    std::memset(bytes + size * sizeof(T), 0, round_up(size * sizeof(T)) - size * sizeof(T));
    const std::size_t keep = round_up(size * sizeof(T));
    ::madvise(bytes + keep, usable_ - keep, MADV_DONTNEED);
    size_ = size;
  }

 private:
  static constexpr std::size_t kStep = 64 * 1024;
  static std::size_t round_up(std::size_t bytes) { return (bytes + kStep - 1) / kStep * kStep; }

  T* data_ = nullptr;
  std::size_t reserved_;
  std::size_t usable_ = 0;
  std::size_t size_ = 0;
};

}  // namespace nacre::fs
