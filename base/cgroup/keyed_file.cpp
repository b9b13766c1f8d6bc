// SPDX-License-Identifier: Apache-2.0
#include "base/cgroup/keyed_file.h"

#include <algorithm>
#include <array>
#include <string>

namespace nacre::cgroup {
namespace {

// PAGE_COUNTER_MAX on 64-bit machines with 4 KiB pages; larger pages give less.
constexpr std::uint64_t kLargestV1Limit = 0x7fff'ffff'0000'0000ull;

std::unexpected<Error> malformed(const char* what, std::string_view text) {
  return bad_input(std::string("malformed ") + what + ": \"" + std::string(text.substr(0, 60)) + "\"");
}

struct Device {
  unsigned major;
  unsigned minor;
};

std::optional<Device> parse_device(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto major = parse_int<unsigned>(text.substr(0, colon));
  const auto minor = parse_int<unsigned>(text.substr(colon + 1));
  if (!major || !minor) return std::nullopt;
  return Device{*major, *minor};
}

DeviceIo& entry_of(std::vector<DeviceIo>& devices, Device device) {
  const auto found = std::ranges::find_if(
      devices, [&](const DeviceIo& d) { return d.major == device.major && d.minor == device.minor; });
  if (found != devices.end()) return *found;
  auto& created = devices.emplace_back();
  created.major = device.major;
  created.minor = device.minor;
  return created;
}

struct Field {
  std::string_view key;
  std::uint64_t DeviceIo::*value;
};

void read_blkio(std::string_view text, const std::array<Field, 3>& fields, std::vector<DeviceIo>& devices) {
  for (const auto line : split(text, '\n')) {
    const auto words = split_blank(line);
    if (words.size() != 3) continue;
    const auto device = parse_device(words[0]);
    const auto value = parse_int<std::uint64_t>(words[2]);
    const auto field = std::ranges::find(fields, words[1], &Field::key);
    if (device && value && field != fields.end()) entry_of(devices, *device).*(field->value) = *value;
  }
}

}  // namespace

std::uint64_t value_of(std::string_view text, std::string_view key) {
  std::uint64_t result = 0;
  for_each_key(text, [&](std::string_view found, std::uint64_t value) {
    if (found == key) result = value;
  });
  return result;
}

Result<std::uint64_t> parse_limit(std::string_view text) {
  text = trim(text);
  if (text == "max" || text == "-1") return kUnlimited;
  const auto value = parse_int<std::uint64_t>(text);
  if (!value) return malformed("cgroup limit", text);
  return *value >= kLargestV1Limit ? kUnlimited : *value;
}

Result<Quota> parse_cpu_max(std::string_view text) {
  const auto words = split_blank(text);
  if (words.size() != 2) return malformed("cpu.max", trim(text));
  const auto period = parse_int<std::uint64_t>(words[1]);
  if (!period || *period == 0) return malformed("cpu.max", trim(text));
  return Quota{TRY(parse_limit(words[0])), *period};
}

std::vector<DeviceIo> parse_io_stat(std::string_view text) {
  static constexpr std::array kFields{
      Field{"rbytes", &DeviceIo::read_bytes},    Field{"wbytes", &DeviceIo::write_bytes},
      Field{"dbytes", &DeviceIo::discard_bytes}, Field{"rios", &DeviceIo::reads},
      Field{"wios", &DeviceIo::writes},          Field{"dios", &DeviceIo::discards},
  };
  std::vector<DeviceIo> devices;
  for (const auto line : split(text, '\n')) {
    const auto words = split_blank(line);
    const auto device = words.empty() ? std::nullopt : parse_device(words[0]);
    if (!device) continue;
    auto& entry = entry_of(devices, *device);
    for (const auto word : words) {
      const auto equals = word.find('=');
      if (equals == std::string_view::npos) continue;
      const auto field = std::ranges::find(kFields, word.substr(0, equals), &Field::key);
      const auto value = parse_int<std::uint64_t>(word.substr(equals + 1));
      if (field != kFields.end() && value) entry.*(field->value) = *value;
    }
  }
  return devices;
}

std::vector<DeviceIo> parse_blkio(std::string_view bytes, std::string_view operations) {
  std::vector<DeviceIo> devices;
  read_blkio(bytes,
             {{{"Read", &DeviceIo::read_bytes},
               {"Write", &DeviceIo::write_bytes},
               {"Discard", &DeviceIo::discard_bytes}}},
             devices);
  read_blkio(operations,
             {{{"Read", &DeviceIo::reads}, {"Write", &DeviceIo::writes}, {"Discard", &DeviceIo::discards}}},
             devices);
  return devices;
}

}  // namespace nacre::cgroup
