// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "base/scope_exit.h"
#include "fs/layer/markers.h"
#include "fs/overlay_fs.h"

namespace nacre::fs {

struct OverlayFs::Move {
  struct Side {
    InodeId parent;
    Name name;
    DirRef dir;  // of the upper layer
    View layers;
    UpperEntry entry;          // what the upper has under the name
    bool below = false;        // lower layers show the name
    bool moves = false;        // to the other side's name
    bool stays_below = false;  // a part of it does not
    std::optional<InodeId> inode;
    Node node;
    DataRef object;
  };
  Side from, to;

  bool target_exists() const {
    return to.entry.state == UpperState::present || (to.entry.state == UpperState::absent && to.below);
  }
};

Result<> OverlayFs::rename(InodeId parent, Name name, InodeId new_parent, Name new_name, unsigned flags) {
  if ((flags & ~unsigned{RENAME_NOREPLACE | RENAME_EXCHANGE}) != 0) return fail(EINVAL);
  if (!upper_) return fail(EROFS);
  if (is_archive_marker(new_name)) return fail(EINVAL);
  const bool both = (flags & RENAME_EXCHANGE) != 0;
  if (!table_.find(parent, name)) {
    // The kernel may know it by an inode that has parted from its file.
    const auto entry = TRY(lookup(parent, name));
    const ScopeExit undo{[&] { forget(entry.inode, 1); }};
    return table_.find(parent, name) ? rename(parent, name, new_parent, new_name, flags) : fail(ENOENT);
  }
  Move move;
  for (const bool source : {true, false}) {
    auto& side = source ? move.from : move.to;
    side.parent = source ? parent : new_parent;
    side.name = source ? name : new_name;
    side.inode = table_.find(side.parent, side.name);
    if (!side.inode && (source || both)) return fail(ENOENT);
    if (side.inode) side.node = TRY(table_.get(*side.inode));
    side.moves = source || both;
    // What a directory has in lower layers cannot move with it, but may be found from afar.
    side.stays_below = side.node.is_dir() && !side.node.pure_upper();
    if (side.moves && side.stays_below && !redirect_dir_) return fail(EXDEV);
  }
  // Nothing was changed so far.
  for (auto* each : {&move.from, &move.to}) {
    auto& side = *each;
    if (side.moves) {
      TRY(copy_up(*side.inode, kNoData));
      TRY(link_up(side.parent, side.name));
      side.object = TRY(object(*side.inode));
      TRY(side.stays_below ? set_redirect(side.node, side.object->get())
                           : set_data_redirect(side.node, side.object->get()));
    }
    side.dir = TRY(upper_dir(side.parent));
    if (!side.moves && side.inode) TRY(before_unlink(*side.inode, side.parent, side.name));
    side.layers = TRY(view(TRY(table_.get(side.parent))));
  }
  const auto inside = move.to.inode && move.to.node.is_dir() ? TRY(view(move.to.node)) : View{};
  // The file that is replaced loses a name.
  const auto file = move.to.inode && !both ? files_.get(*move.to.inode) : nullptr;
  const auto file_lock = file ? std::unique_lock(file->mutex) : std::unique_lock<std::mutex>();
  const auto locks = directory_locks_.write(parent, new_parent);
  for (auto* side : {&move.from, &move.to}) {
    side->entry = TRY(upper_entry(side->layers, side->name));
    side->below = TRY(shown_below(side->layers, side->name));
  }
  if (move.from.entry.state != UpperState::present) return fail(ENOENT);
  if (both) return exchange(move);
  if (move.target_exists()) {
    if ((flags & RENAME_NOREPLACE) != 0) return fail(EEXIST);
    if (move.to.inode && move.to.node.is_dir() && !TRY(is_empty(inside))) return fail(ENOTEMPTY);
  }

  const bool replaced = move.to.entry.state == UpperState::present;
  if (replaced)
    move.to.object = std::make_shared<const UniqueFd>(TRY(upper_->open_object(*move.to.dir, new_name)));
  const auto victim = move.to.inode ? TRY(table_.get(*move.to.inode)) : Node{};
  if (replaced) TRY(keep_links(victim, move.to.object->get()));
  if ((parent != new_parent && impure(*move.from.dir)) || !move.from.node.lowers.empty())
    mark_impure(*move.to.dir);
  if (move.from.node.is_dir())
    TRY(move_dir(move));
  else
    TRY(replace(move, 0));

  drop_marker(*move.to.dir, new_name, move.to.entry);
  table_.move_name(parent, name, new_parent, new_name);
  if (replaced && file) {
    leave_index(victim, move.to.object->get());
    orphan(*move.to.inode, *file, std::move(move.to.object));
    if (move.to.entry.attr.st_nlink <= 1 || move.to.node.is_dir())
      numbers_.removed(move.to.entry.attr.st_ino);
  }
  return {};
}

// One system call moves the object and leaves the whiteout that the old name may need.
Result<> OverlayFs::replace(Move& move, unsigned flags) {
  if (move.from.below) flags |= RENAME_WHITEOUT;
  return upper_->rename(*move.from.dir, move.from.name, *move.to.dir, move.to.name, flags);
}

Result<> OverlayFs::move_dir(Move& move) {
  // A lower directory of the new name must not show through.
  if (move.to.below && move.from.node.lowers.empty()) TRY(upper_->set_opaque(move.from.object->get()));
  if (move.to.entry.state == UpperState::whiteout && !move.to.entry.by_marker) {
    // A directory cannot replace a whiteout, but they can change places; what comes to the
    // old name is the whiteout it needs, or is removed: should that fail, it hides nothing.
    TRY(upper_->rename(*move.from.dir, move.from.name, *move.to.dir, move.to.name, RENAME_EXCHANGE));
    if (!move.from.below) static_cast<void>(upper_->remove(*move.from.dir, move.from.name, false));
    return {};
  }
  auto done = replace(move, 0);
  if (done || (done.error().code != ENOTEMPTY && done.error().code != EEXIST)) return done;
  TRY(make_way(move));
  return replace(move, 0);
}

// Clears a target of the whiteouts that it holds, by an empty one in its place.
Result<> OverlayFs::make_way(Move& move) {
  const auto& attr = move.to.entry.attr;
  auto staged = TRY(upper_->stage({.mode = attr.st_mode}));
  ScopeExit undo{[&] { upper_->discard(staged); }};
  TRY(upper_->set_owner(staged.fd.get(), attr.st_uid, attr.st_gid));
  if (move.to.below) TRY(upper_->set_opaque(staged.fd.get()));
  TRY(upper_->publish(staged, *move.to.dir, move.to.name, Place::occupied));
  undo.dismiss();
  return {};
}

Result<> OverlayFs::exchange(Move& move) {
  if (move.to.entry.state != UpperState::present) return fail(ENOENT);
  const auto hide = [&](const Move::Side& side, bool below) -> Result<> {
    return side.node.is_dir() && side.node.lowers.empty() && below ? upper_->set_opaque(side.object->get())
                                                                   : Result<>{};
  };
  TRY(hide(move.from, move.to.below));
  TRY(hide(move.to, move.from.below));
  TRY(upper_->rename(*move.from.dir, move.from.name, *move.to.dir, move.to.name, RENAME_EXCHANGE));
  if (impure(*move.from.dir) || impure(*move.to.dir) || !move.from.node.lowers.empty() ||
      !move.to.node.lowers.empty())
    for (auto* side : {&move.from, &move.to}) mark_impure(*side->dir);
  table_.exchange_names(move.from.parent, move.from.name, move.to.parent, move.to.name);
  return {};
}

}  // namespace nacre::fs
