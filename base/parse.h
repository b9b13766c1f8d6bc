// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace nacre {

// The whole of `text` as an integer in `base`; nothing for empty text, other characters,
// a leading '+' or blanks, or a value that does not fit.
template <typename Int>
std::optional<Int> parse_int(std::string_view text, int base = 10) {
  Int value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

// A size as people type it: digits with an optional k, m, g, t (powers of 1024, either
// case, optionally followed by "b" or "ib"), or a bare "b". "256m" is 268435456.
Result<std::uint64_t> parse_size(std::string_view text);

// A non-negative decimal such as "1.5", exact to nine digits after the point, in units of
// 1e-9. "1.5" is 1500000000.
Result<std::uint64_t> parse_nano(std::string_view text);

// A kernel list of numbers, "0-3,8": sorted, without duplicates. Empty text is an empty
// list; values above 65535 are refused.
Result<std::vector<unsigned>> parse_list(std::string_view text);
// The same list as the kernel prints it.
std::string format_list(const std::vector<unsigned>& numbers);

// Splits at every `separator`; "a::b" has an empty middle part, "" has no part.
std::vector<std::string_view> split(std::string_view text, char separator);
// Splits at runs of blanks (space, tab, newline), giving no empty part.
std::vector<std::string_view> split_blank(std::string_view text);
std::string_view trim(std::string_view text);

}  // namespace nacre
