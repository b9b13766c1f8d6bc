// SPDX-License-Identifier: Apache-2.0
#include "base/parse.h"

#include <algorithm>
#include <limits>

namespace nacre {
namespace {

constexpr std::string_view kBlank = " \t\r\n";

std::unexpected<Error> not_a(std::string_view kind, std::string_view text) {
  return bad_input("\"" + std::string(text) + "\" is not a " + std::string(kind));
}

// The power of two a size suffix stands for; nothing when it is not one.
std::optional<unsigned> suffix_shift(std::string_view suffix) {
  if (suffix.empty() || suffix == "b" || suffix == "B") return 0;
  static constexpr std::string_view kUnits = "kmgtp";
  const auto unit = kUnits.find(static_cast<char>(suffix.front() | 0x20));
  if (unit == std::string_view::npos) return std::nullopt;
  const auto rest = suffix.substr(1);
  if (!rest.empty() && rest != "b" && rest != "B" && rest != "ib" && rest != "iB") return std::nullopt;
  return 10 * (static_cast<unsigned>(unit) + 1);
}

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = parse_int<std::uint64_t>(text.substr(0, digits));
  const auto shift = suffix_shift(text.substr(digits));
  if (!number || !shift) return not_a("size (examples: 64m, 2g, 1048576)", text);
  if (*number > (std::numeric_limits<std::uint64_t>::max() >> *shift))
    return not_a("size that fits 64 bits", text);
  return *number << *shift;
}

Result<std::uint64_t> parse_nano(std::string_view text) {
  constexpr std::uint64_t kUnit = 1'000'000'000;
  const auto point = std::min(text.find('.'), text.size());
  const auto whole_text = text.substr(0, point);
  const auto fraction_text = point < text.size() ? text.substr(point + 1) : std::string_view("0");
  const auto whole =
      whole_text.empty() ? std::optional<std::uint64_t>(0) : parse_int<std::uint64_t>(whole_text);
  auto fraction = parse_int<std::uint64_t>(fraction_text);
  if (text.empty() || !whole || !fraction || fraction_text.size() > 9 ||
      *whole > std::numeric_limits<std::uint64_t>::max() / kUnit - 1)
    return not_a("number (examples: 0.5, 2)", text);
  for (auto digits = fraction_text.size(); digits < 9; ++digits) *fraction *= 10;
  return *whole * kUnit + *fraction;
}

Result<std::vector<unsigned>> parse_list(std::string_view text) {
  constexpr unsigned kHighest = 65535;
  std::vector<unsigned> numbers;
  for (const auto part : split(trim(text), ',')) {
    const auto dash = part.find('-');
    const auto first = parse_int<unsigned>(part.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : parse_int<unsigned>(part.substr(dash + 1));
    if (!first || !last || *first > *last || *last > kHighest)
      return not_a("list of numbers (example: 0-3,8)", text);
    for (unsigned number = *first; number <= *last; ++number) numbers.push_back(number);
  }
  std::ranges::sort(numbers);
  const auto repeated = std::ranges::unique(numbers);
  numbers.erase(repeated.begin(), repeated.end());
  return numbers;
}

std::string format_list(const std::vector<unsigned>& numbers) {
  std::string text;
  for (std::size_t i = 0; i < numbers.size();) {
    auto end = i;
    while (end + 1 < numbers.size() && numbers[end + 1] == numbers[end] + 1) ++end;
    if (!text.empty()) text += ',';
    text += std::to_string(numbers[i]);
    if (end > i) text += '-' + std::to_string(numbers[end]);
    i = end + 1;
  }
  return text;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  if (text.empty()) return parts;
  for (;;) {
    const auto at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::vector<std::string_view> split_blank(std::string_view text) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto begin = text.find_first_not_of(kBlank);
    if (begin == std::string_view::npos) return parts;
    text.remove_prefix(begin);
    const auto end = std::min(text.find_first_of(kBlank), text.size());
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

std::string_view trim(std::string_view text) {
  const auto begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

}  // namespace nacre
