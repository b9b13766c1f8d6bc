// SPDX-License-Identifier: Apache-2.0
// File attributes that only ioctl(2) reaches: flags (chattr), project ids, generations.
// Source: <linux/fs.h>; ioctl_iflags(2).
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>

#include "base/sys/checked.h"
#include "fs/overlay_fs.h"

namespace nacre::fs {
namespace {

struct Row {
  unsigned command;
  std::size_t size;  // of what is read or written
  bool changes;
};

// The size of these four is not the one in their numbers, for historical reasons.
constexpr std::array<Row, 5> kRows{{
    {static_cast<unsigned>(FS_IOC_GETFLAGS), sizeof(int), false},
    {static_cast<unsigned>(FS_IOC_SETFLAGS), sizeof(int), true},
    {static_cast<unsigned>(FS_IOC_GETVERSION), sizeof(int), false},
    {static_cast<unsigned>(FS_IOC_FSGETXATTR), sizeof(fsxattr), false},
    {static_cast<unsigned>(FS_IOC_FSSETXATTR), sizeof(fsxattr), true},
}};

}  // namespace

Result<UniqueFd> OverlayFs::open_for_ioctl(const Node& node) {
  constexpr int kFlags = O_RDONLY | O_NONBLOCK;
  if (node.in_upper) return upper_->reopen(TRY(object(node.id))->get(), kFlags);
  const LayerIndex index = node.is_dir() ? node.lowers.front() : node.layer;
  if (node.id == kRootInode) return layer(index).open(*layer(index).root(), ".", kFlags);
  return located(node.id, index,
                 [&](const LayerDir& parent, Name name) { return layer(index).open(parent, name, kFlags); });
}

Result<std::string> OverlayFs::ioctl(InodeId inode, unsigned command, std::string_view argument) {
  const auto row = std::ranges::find(kRows, command, &Row::command);
  if (row == kRows.end()) return fail(ENOTTY);
  auto node = TRY(table_.get(inode));
  if (!node.is_dir() && !S_ISREG(node.type)) return fail(ENOTTY);
  std::string value(std::max(row->size, sizeof(long)), '\0');
  if (row->changes) {
    if (argument.size() < row->size) return fail(EINVAL);
    argument.substr(0, row->size).copy(value.data(), row->size);
    TRY(copy_up(inode, kNoData));
    node = TRY(table_.get(inode));
  }
  const auto fd = TRY(open_for_ioctl(node));
  TRY(sys::succeed([&] { return ::ioctl(fd.get(), command, value.data()); }));
  value.resize(row->changes ? 0 : row->size);
  return value;
}

}  // namespace nacre::fs
