// SPDX-License-Identifier: Apache-2.0
#include "procfs/view/disk.h"

#include <array>

#include "procfs/view/arithmetic.h"

namespace nacre::procfs {
namespace {

using cgroup::DeviceIo;

constexpr std::array kFields{&DeviceIo::read_bytes, &DeviceIo::write_bytes, &DeviceIo::discard_bytes,
                             &DeviceIo::reads,      &DeviceIo::writes,      &DeviceIo::discards};

bool active(const DeviceIo& io) {
  for (const auto field : kFields)
    if (io.*field != 0) return true;
  return false;
}

}  // namespace

std::vector<DeviceIo> DiskCounters::advance(const std::vector<DeviceIo>& sample) {
  for (const auto& now : sample) {
    auto& track = tracks_[{now.major, now.minor}];
    for (const auto field : kFields) {
      // On v1 the numbers of a cgroup below go with it, so what is left of a smaller sum was counted already.
      track.shown.*field = saturating_add(track.shown.*field, saturating_sub(now.*field, track.last.*field));
    }
    track.last = now;
    track.shown.major = now.major;
    track.shown.minor = now.minor;
  }
  std::vector<DeviceIo> shown;
  for (const auto& [device, track] : tracks_)
    if (active(track.shown)) shown.push_back(track.shown);
  return shown;
}

std::vector<std::uint64_t> DiskCounters::state() const {
  std::vector<std::uint64_t> words;
  for (const auto& [device, track] : tracks_) {
    words.insert(words.end(), {device.first, device.second});
    for (const auto field : kFields) words.insert(words.end(), {track.last.*field, track.shown.*field});
  }
  return words;
}

void DiskCounters::restore(const std::vector<std::uint64_t>& words) {
  constexpr std::size_t kEach = 2 + 2 * kFields.size();
  if (words.size() % kEach != 0) return;
  for (auto word = words.begin(); word != words.end();) {
    const auto major = static_cast<unsigned>(*word++), minor = static_cast<unsigned>(*word++);
    auto& track = tracks_[{major, minor}];
    for (const auto field : kFields) {
      track.last.*field = *word++;
      track.shown.*field = *word++;
    }
    track.last.major = track.shown.major = major;
    track.last.minor = track.shown.minor = minor;
  }
}

}  // namespace nacre::procfs
