// SPDX-License-Identifier: Apache-2.0
#include "procfs/sysinfo/memory_writer.h"

#include <unistd.h>

#include <array>
#include <cstring>
#include <string>

#include "base/sys/checked.h"
#include "procfs/sysinfo/listener.h"

namespace nacre::procfs {
namespace {

// A question is this and the bytes, with the memory and the listener.
struct Place {
  std::uint64_t address;
  std::uint64_t call;
};

Result<sys::Message> write_it(const sys::Message& question, int) {
  Place place{};
  if (question.text.size() < sizeof(place) || question.fds.size() != 2) return fail(EPROTO);
  std::memcpy(&place, question.text.data(), sizeof(place));
  const auto bytes = std::string_view(question.text).substr(sizeof(place));
  // The daemon may have been replaced meanwhile, and the call answered by another.
  TRY(still_waits(question.fds[1].get(), place.call));
  const auto written = sys::checked([&] {
    return ::pwrite(question.fds[0].get(), bytes.data(), bytes.size(), static_cast<off_t>(place.address));
  });
  if (!written || *written != static_cast<ssize_t>(bytes.size())) return fail(EFAULT);
  return sys::Message{};
}

}  // namespace

// The right to write came with opening the memory.
const sys::HelperKind MemoryWriter::kKind{
    .name = "nacre-memory", .capabilities = {}, .calls = {}, .keeps = false, .answer = write_it};

Result<> MemoryWriter::write(int memory, std::uint64_t address, std::string_view bytes, int listener,
                             std::uint64_t id) {
  const Place place{address, id};
  std::string question(sizeof(place) + bytes.size(), '\0');
  std::memcpy(question.data(), &place, sizeof(place));
  std::memcpy(question.data() + sizeof(place), bytes.data(), bytes.size());
  const std::array fds{memory, listener};
  // Nobody waits for those whose callers were killed.
  TRY(helper_.ask(question, fds, {.interrupt = interrupt_, .wanted = [&] {
                                    return still_waits(listener, id).has_value();
                                  }}));
  return {};
}

}  // namespace nacre::procfs
