// SPDX-License-Identifier: Apache-2.0
// The state that a daemon leaves to the next one, damaged: an input is laid over a good one, from an offset
// on.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <string>

#include "procfs/state/state_file.h"
#include "tests/fuzz/target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using nacre::fuzz::require;
  using nacre::procfs::StateFile;
  constexpr std::size_t kHalf = 1 << 14;
  std::uint16_t offset = 0;
  if (size < sizeof(offset)) return 0;
  std::memcpy(&offset, data, sizeof(offset));

  auto good = StateFile::create(kHalf);
  require(good.has_value(), "a state can be made");
  for (int i = 0; i < 20; ++i) (void)good->put("key/" + std::to_string(i % 7), std::string(40, 'x'));
  good->erase("key/3");
  const nacre::UniqueFd memory{::dup(good->descriptor())};
  const auto rest = size - sizeof(offset);
  require(::pwrite(memory.get(), data + sizeof(offset), rest, offset) == static_cast<ssize_t>(rest),
          "memory can be written");
  auto damaged = StateFile::open(nacre::UniqueFd{::dup(memory.get())});
  if (!damaged) return 0;
  for (const auto& [key, value] : damaged->entries_below(""))
    require(damaged->value(key) == value, "an entry is found by its key");
  // It goes on to be used.
  if (damaged->put("another", "value"))
    require(damaged->value("another") == "value", "what was put is there");
  return 0;
}
