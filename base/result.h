// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cerrno>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace nacre {

// What went wrong and, for a human, what we were trying to do.
// The FUSE hot path leaves `context` empty, so a routine ENOENT allocates nothing.
struct Error {
  int code = 0;  // a positive errno, or one of the negative kinds below
  std::string context;

  // "mount proc on /proc: Operation not permitted". A context that explains itself
  // (code EINVAL from a parser) is printed without the errno's text.
  std::string message() const;
};

template <typename T = void>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(int code, std::string context = {}) {
  return std::unexpected(Error{code, std::move(context)});
}

// For bad input: the context says everything, no errno text is appended.
inline constexpr int kBadInput = -1;
// Bad input that shells tell apart: a command that does not exist, and one that cannot be executed.
inline constexpr int kNoCommand = -2;
inline constexpr int kUnusableCommand = -3;
[[nodiscard]] inline std::unexpected<Error> bad_input(std::string what) {
  return fail(kBadInput, std::move(what));
}

// Prefixes an error with the step it interrupted: "create box: mount proc on /proc".
template <typename T>
[[nodiscard]] Result<T> during(std::string_view step, Result<T> result) {
  if (!result) {
    auto& context = result.error().context;
    context = context.empty() ? std::string(step) : std::string(step) + ": " + context;
  }
  return result;
}

namespace detail {
template <typename T>
T take(Result<T>& result) {
  return std::move(*result);
}
inline void take(Result<void>&) {}
}  // namespace detail

}  // namespace nacre

// Yields the value, or returns the error to our caller. GCC 12's std::expected has no
// and_then; one macro reads better than a page of `if (!r) return`.
#define TRY(...)                                              \
  __extension__({                                             \
    auto try_result_ = (__VA_ARGS__);                         \
    if (!try_result_) [[unlikely]]                            \
      return std::unexpected(std::move(try_result_.error())); \
    ::nacre::detail::take(try_result_);                       \
  })
