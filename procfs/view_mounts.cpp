// SPDX-License-Identifier: Apache-2.0
#include "procfs/view_mounts.h"

#include <poll.h>

#include "procfs/file_table.h"
#include "procfs/tree.h"

namespace nacre::procfs {
namespace {

// For so many containers that are started at once. Each costs a mount and a descriptor for every file.
constexpr std::size_t kAhead = 2;

const std::vector<sys::MountCloner::Wanted>& attached_files() {
  static const auto kWanted = [] {
    std::vector<sys::MountCloner::Wanted> files;
    for (const auto& row : attach_table())
      files.push_back({std::string(row.target.substr(row.target.find_last_of('/') + 1)), row.writable});
    return files;
  }();
  return kWanted;
}

std::vector<control::ViewMount> with_targets(std::vector<UniqueFd> clones) {
  std::vector<control::ViewMount> mounts;
  for (std::size_t i = 0; i < clones.size(); ++i)
    mounts.push_back({std::string(attach_table()[i].target), std::move(clones[i])});
  return mounts;
}

bool is_readable(int fd) {
  pollfd event{fd, POLLIN, 0};
  return ::poll(&event, 1, 0) == 1;
}

}  // namespace

ContainerNumber ViewMounts::next_number() {
  if (!ahead_.empty()) return ahead_.front().number;
  return begun_ != 0 ? begun_ : registry_.reserve();
}

Result<std::vector<control::ViewMount>> ViewMounts::open(const Container& container) {
  if (begun_ != 0 && !has(container.number())) finish();
  wanted_ = true;
  if (!has(container.number()))
    return with_targets(
        TRY(cloner_.clone(std::string(Tree::kContainers) + "/" + container.id(), attached_files())));
  auto clones = std::move(ahead_.front().mounts);
  ahead_.pop_front();
  return with_targets(std::move(clones));
}

void ViewMounts::work_ahead() {
  if (begun_ != 0 && is_readable(cloner_.descriptor())) finish();
  if (begun_ == 0 && wanted_ && ahead_.size() < kAhead) begin();
}

void ViewMounts::begin() {
  const auto number = registry_.reserve();
  wanted_ = cloner_.begin(std::string(Tree::kContainers) + "/" + Tree::name_ahead(number), attached_files())
                .has_value();
  if (wanted_) begun_ = number;
}

void ViewMounts::finish() {
  auto mounts = cloner_.finish();
  wanted_ = mounts.has_value();
  if (mounts) ahead_.push_back({begun_, std::move(*mounts)});
  begun_ = 0;
}

}  // namespace nacre::procfs
