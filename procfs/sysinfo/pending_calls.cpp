// SPDX-License-Identifier: Apache-2.0
#include "procfs/sysinfo/pending_calls.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/sys/checked.h"
#include "base/sys/file.h"

namespace nacre::procfs {

struct PendingCalls::Slot {
  std::uint64_t key;
  NotificationRoom room;
};

Result<UniqueFd> PendingCalls::create() {
  auto memory = TRY(sys::memory_file("nacre-procfs-calls", ""));
  TRY(sys::succeed([&] { return ::ftruncate(memory.get(), kSlots * sizeof(Slot)); }));
  return memory;
}

Result<PendingCalls> PendingCalls::map(int memory) {
  const auto size = TRY(sys::stat_fd(memory)).st_size;
  if (size != static_cast<off_t>(kSlots * sizeof(Slot)))
    return fail(EINVAL, "the system calls that were kept are of another version");
  void* const base = ::mmap(nullptr, kSlots * sizeof(Slot), PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
  if (base == MAP_FAILED) return fail(errno, "map the pending system calls");
  return PendingCalls(static_cast<Slot*>(base));
}

PendingCalls::~PendingCalls() {
  if (slots_ != nullptr) ::munmap(slots_, kSlots * sizeof(Slot));
}

Result<std::optional<seccomp_notif>> PendingCalls::receive(std::size_t slot, std::uint64_t key,
                                                           int listener) {
  auto& place = slots_[slot];
  place.room = {};
  place.key = key;
  return receive_notification(listener, place.room);
}

void PendingCalls::answered(std::size_t slot) { slots_[slot] = {}; }

std::optional<PendingCalls::Left> PendingCalls::left(std::size_t slot) const {
  const auto& place = slots_[slot];
  if (place.room.record.id == 0) return std::nullopt;
  return Left{slot, place.key, place.room.record};
}

std::vector<PendingCalls::Left> PendingCalls::left() const {
  std::vector<Left> all;
  for (std::size_t slot = 0; slot < kSlots; ++slot)
    if (const auto call = left(slot)) all.push_back(*call);
  return all;
}

}  // namespace nacre::procfs
