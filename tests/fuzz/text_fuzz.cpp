// SPDX-License-Identifier: Apache-2.0
// Sizes, decimals, kernel lists of numbers, and splitting.
#include <algorithm>
#include <cstdint>

#include "base/parse.h"
#include "tests/fuzz/target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using nacre::fuzz::require;
  const auto text = nacre::fuzz::text_of(data, size);

  if (const auto bytes = nacre::parse_size(text))
    require(nacre::parse_size(std::to_string(*bytes)).value_or(~*bytes) == *bytes,
            "a size in bytes is the same size");
  if (const auto nano = nacre::parse_nano(text))
    require(!text.empty() && text.find_first_not_of("0123456789.") == text.npos,
            "a decimal is digits and a point");

  if (const auto numbers = nacre::parse_list(text)) {
    require(std::ranges::is_sorted(*numbers), "a list is sorted");
    require(nacre::parse_list(nacre::format_list(*numbers)).value() == *numbers,
            "a printed list is the same list");
  }

  const auto parts = nacre::split(text, ':');
  const auto colons = static_cast<std::size_t>(std::ranges::count(text, ':'));
  require(parts.size() == (text.empty() ? 0 : colons + 1), "one part more than separators");
  for (const auto part : nacre::split_blank(text))
    require(nacre::trim(part) == part && !part.empty(), "no blank in a part");
  return 0;
}
