// SPDX-License-Identifier: Apache-2.0
#include "procfs/state/state_file.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>

#include "base/sys/checked.h"
#include "base/sys/file.h"

namespace nacre::procfs {
namespace {

constexpr std::uint64_t kMagic = 0x3161746164657261;
constexpr std::size_t kHeaderSize = 4096;
// The log may be twice as long as what counts of it and this much longer, which is enough for writing it anew
// to cost little, and for a small state to stay in a processor's cache.
constexpr std::size_t kSlack = 64u << 10;

}  // namespace

struct StateFile::Header {
  std::uint64_t magic;
  std::uint64_t half_size;
  std::uint64_t active;  // which half is the log; the last thing that is written of a new one
};

// Followed by the key and the value.
struct StateFile::Record {
  std::uint32_t size;  // of all of it, in steps of 8; written last, 0 at the end of the log
  std::uint32_t key;
  std::uint32_t value;
  std::uint32_t erased;
};

StateFile::Header& StateFile::header() const { return *reinterpret_cast<Header*>(base_); }
char* StateFile::start_of(std::uint64_t half) const { return base_ + kHeaderSize + (half & 1) * half_; }

Result<StateFile> StateFile::map(UniqueFd memory, std::size_t half) {
  const std::size_t size = kHeaderSize + 2 * half;
  void* const base = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, memory.get(), 0);
  if (base == MAP_FAILED) return fail(errno, "map the state");
  ::madvise(base, size, MADV_DONTFORK);  // helpers need not see it
  return StateFile(std::move(memory), static_cast<char*>(base), half);
}

Result<StateFile> StateFile::create(std::size_t half) {
  auto memory = TRY(sys::memory_file("nacre-procfs", ""));
  const auto size = static_cast<off_t>(kHeaderSize + 2 * half);
  TRY(sys::succeed([&] { return ::ftruncate(memory.get(), size); }));
  auto file = TRY(map(std::move(memory), half));
  file.header() = {kMagic, half, 0};
  return file;
}

Result<StateFile> StateFile::open(UniqueFd memory) {
  Header header{};
  const auto size = TRY(sys::stat_fd(memory.get())).st_size;
  const auto got = ::pread(memory.get(), &header, sizeof(header), 0);
  if (got != sizeof(header) || header.magic != kMagic || header.active > 1 || header.half_size > (1u << 30) ||
      size != static_cast<off_t>(kHeaderSize + 2 * header.half_size))
    return fail(EINVAL, "the state that was kept is of another version");
  auto file = TRY(map(std::move(memory), header.half_size));
  file.read_log();
  return file;
}

StateFile::StateFile(StateFile&& other) noexcept
    : memory_(std::move(other.memory_)),
      base_(std::exchange(other.base_, nullptr)),
      half_(other.half_),
      live_(std::move(other.live_)),
      live_size_(other.live_size_),
      end_(other.end_) {}

StateFile::~StateFile() {
  if (base_ != nullptr) ::munmap(base_, kHeaderSize + 2 * half_);
}

void StateFile::read_log() {
  const char* const log = start_of(header().active);
  for (std::size_t at = 0; at + sizeof(Record) <= half_;) {
    Record record;
    std::memcpy(&record, log + at, sizeof(record));
    if (record.size < sizeof(record) + record.key + record.value || record.size > half_ - at) break;
    const std::string key(log + at + sizeof(record), record.key);
    if (const auto old = live_.find(key); old != live_.end()) {
      live_size_ -= old->second.size;
      live_.erase(old);
    }
    if (record.erased == 0) {
      live_[key] = {at, record.size};
      live_size_ += record.size;
    }
    end_ = at += record.size;
  }
}

std::string_view StateFile::value_at(const Extent& extent) const {
  const char* const at = start_of(header().active) + extent.at;
  Record record;
  std::memcpy(&record, at, sizeof(record));
  return {at + sizeof(record) + record.key, record.value};
}

// What comes after may be of a record that was never finished, or of an earlier use of this half.
void StateFile::end_log(char* half, std::size_t at) const {
  if (half_ - at >= sizeof(Record::size)) std::memset(half + at, 0, sizeof(Record::size));
}

std::optional<StateFile::Extent> StateFile::append(std::string_view key, std::string_view value,
                                                   bool erased) {
  const std::size_t size = (sizeof(Record) + key.size() + value.size() + 7) / 8 * 8;
  if (size > half_ - end_) return std::nullopt;
  char* const at = start_of(header().active) + end_;
  const Record record{0, static_cast<std::uint32_t>(key.size()), static_cast<std::uint32_t>(value.size()),
                      erased};
  std::memcpy(at, &record, sizeof(record));
  std::memcpy(at + sizeof(record), key.data(), key.size());
  std::ranges::copy(value, at + sizeof(record) + key.size());  // which may have no address when it is empty
  end_log(start_of(header().active), end_ + size);
  // Everything else is there when the size is.
  std::atomic_ref(*reinterpret_cast<std::uint32_t*>(at))
      .store(static_cast<std::uint32_t>(size), std::memory_order_release);
  end_ += size;
  return Extent{end_ - size, size};
}

void StateFile::compact() {
  const auto from = header().active, to = from ^ 1;
  end_ = 0;
  for (auto& [key, extent] : live_) {
    std::memcpy(start_of(to) + end_, start_of(from) + extent.at, extent.size);
    extent.at = end_;
    end_ += extent.size;
  }
  end_log(start_of(to), end_);
  std::atomic_ref(header().active).store(to, std::memory_order_release);
}

Result<> StateFile::put(std::string_view key, std::string_view value) {
  const std::lock_guard lock(mutex_);
  if (end_ > 2 * live_size_ + kSlack) compact();
  auto written = append(key, value, false);
  if (!written) {
    compact();
    written = append(key, value, false);
  }
  if (!written) return fail(ENOSPC, "keep the state");
  auto entry = live_.lower_bound(key);
  if (entry == live_.end() || entry->first != key) entry = live_.emplace_hint(entry, key, Extent{});
  live_size_ += written->size - entry->second.size;
  entry->second = *written;
  return {};
}

void StateFile::erase(std::string_view key) {
  const std::lock_guard lock(mutex_);
  const auto known = live_.find(key);
  if (known == live_.end()) return;
  const bool written = append(key, {}, true).has_value();
  live_size_ -= known->second.size;
  live_.erase(known);
  if (!written) compact();  // which leaves it out
}

std::vector<std::pair<std::string, std::string>> StateFile::entries_below(std::string_view prefix) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<std::string, std::string>> entries;
  for (auto entry = live_.lower_bound(prefix); entry != live_.end() && entry->first.starts_with(prefix);
       ++entry)
    entries.emplace_back(entry->first, value_at(entry->second));
  return entries;
}

std::string StateFile::value(std::string_view key) const {
  const std::lock_guard lock(mutex_);
  const auto found = live_.find(key);
  return found == live_.end() ? std::string() : std::string(value_at(found->second));
}

}  // namespace nacre::procfs
