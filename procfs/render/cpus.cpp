// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>

#include "base/parse.h"
#include "procfs/render/render.h"

namespace nacre::procfs {
namespace {

struct Entry {
  std::string_view key;    // "core id"
  std::string_view label;  // "core id\t\t: "
};

Entry entry_of(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return {};
  const auto end = std::min(colon + 2, line.size());
  return {trim(line.substr(0, colon)), line.substr(0, end)};
}

std::optional<unsigned> processor_of(std::string_view stanza) {
  for (const auto line : split(stanza, '\n'))
    if (const auto entry = entry_of(line); entry.key == "processor")
      return parse_int<unsigned>(trim(line.substr(entry.label.size())));
  return std::nullopt;
}

// The value a container's CPU shows for what depends on numbering; nothing: as it is.
std::optional<std::size_t> renumbered(std::string_view key, std::size_t number, std::size_t count) {
  if (key == "processor" || key == "core id" || key == "apicid" || key == "initial apicid") return number;
  if (key == "physical id") return 0;
  if (key == "siblings" || key == "cpu cores") return count;
  return std::nullopt;
}

void append_stanza(std::string& text, std::string_view stanza, std::size_t number, std::size_t count) {
  for (const auto line : split(stanza, '\n')) {
    const auto entry = entry_of(line);
    const auto value = renumbered(entry.key, number, count);
    if (value) {
      text += std::string(entry.label) + std::to_string(*value);
    } else {
      text += line;
    }
    text += '\n';
  }
  text += '\n';
}

}  // namespace

std::string render_cpuinfo(std::string_view host, const CpuView& view) {
  std::string text;
  while (!host.empty()) {
    const auto end = host.find("\n\n");
    const auto stanza = host.substr(0, end);
    host.remove_prefix(end == std::string_view::npos ? host.size() : end + 2);
    const auto processor = processor_of(stanza);
    if (!processor) {
      // What concerns the whole machine (arm: "Hardware", s390: "vendor_id") stays.
      if (!trim(stanza).empty()) text += std::string(trim(stanza)) + "\n\n";
    } else if (const auto found = std::ranges::find(view.cpus, *processor); found != view.cpus.end()) {
      const auto place = static_cast<std::size_t>(found - view.cpus.begin());
      append_stanza(text, stanza, view.numbers[place], view.cpus.size());
    }
  }
  return text;
}

std::string render_cpu_list(const std::vector<unsigned>& cpus) { return format_list(cpus) + "\n"; }

std::string render_cpu_mask(std::size_t width, const std::vector<unsigned>& cpus) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::vector<unsigned> digits((width + 3) / 4);
  for (const auto cpu : cpus)
    if (cpu / 4 < digits.size()) digits[cpu / 4] |= 1u << (cpu % 4);
  std::string text;
  for (std::size_t digit = digits.size(); digit-- > 0;) {
    text += kDigits[digits[digit]];
    if (digit % 8 == 0 && digit != 0) text += ',';
  }
  return text + "\n";
}

}  // namespace nacre::procfs
