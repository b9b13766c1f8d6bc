// SPDX-License-Identifier: Apache-2.0
// Hard links and inode numbers that survive copy-up and remount, kept as kernel overlayfs keeps
// them with index=on (fs/overlayfs/copy_up.c and util.c): a copy remembers its origin by file
// handle. The copy of a file with several names is entered in the index under that handle, too,
// where it is found by those of its names that only the lower layer has.
#include "fs/layer/markers.h"
#include "fs/layer/origin.h"
#include "fs/overlay_fs.h"

namespace nacre::fs {
namespace {

// Numbers of lower files and of upper files do not mix.
constexpr std::uint64_t kLowerIdentity = std::uint64_t{1} << 63;

}  // namespace

std::string OverlayFs::own_attribute(std::string_view name) const {
  return std::string(upper_->attribute_prefix()).append(name);
}

// A lower file with several names was found: all of them are one inode, whose copy may be in the
// index; settle_in_index() looks.
void OverlayFs::expect_in_index(LayerIndex index, const LayerDir& dir, Name name, Found& found) const {
  // Others than files cannot have attributes of the user's kind.
  if (!S_ISREG(found.attr.st_mode) && upper_->attribute_prefix() == kUserPrefix) return;
  const auto origin = lowers_.at(index).handle(dir, name);
  if (!origin) return;  // no file handles here: each name is a file of its own
  found.index_entry = index_name(*origin);
  found.identity = kLowerIdentity | found.ino;
}

// Under index_mutex_, until the table knows.
Result<> OverlayFs::settle_in_index(Found& found) {
  const auto& entries = *upper_->index();
  const char* const entry = found.index_entry.c_str();
  const auto copy = upper_->stat(entries, entry);
  if (!copy && copy.error().code == ENOENT) return {};
  if (!copy) return std::unexpected(copy.error());
  if (is_whiteout(*copy)) return {};
  const auto links = overlay_attribute(*upper_, entries, entry, "nlink");
  const auto more =
      links && *links ? parse_link_count(**links, copy->st_nlink, found.attr.st_nlink) : std::nullopt;
  found.attr = *copy;
  found.in_upper = found.indexed = found.aliased = true;
  found.layer = kUpper;
  found.identity = copy->st_ino;
  found.links_elsewhere = more.value_or(0);
  return {};
}

// An upper file with several names was found: the index may hold one of them.
Result<> OverlayFs::find_links(const View& view, Name name, Found& found) {
  const auto links = TRY(overlay_attribute(*upper_, *view.upper, name, "nlink"));
  if (!links) return {};
  std::uint64_t lower_links = 0;
  if (links->starts_with('L'))
    if (const auto attr = TRY(find_origin(view, name))) lower_links = attr->st_nlink;
  const auto more = parse_link_count(*links, found.attr.st_nlink, lower_links);
  if (!more) return {};  // not known: nothing is to be concluded from that, least of all that it is zero
  found.indexed = true;
  found.links_elsewhere = *more;
  return {};
}

// The lower file that an upper one is a copy of.
Result<std::optional<struct stat>> OverlayFs::find_origin(const View& view, Name name) {
  const auto origin = TRY(overlay_attribute(*upper_, *view.upper, name, "origin"));
  if (!origin || origin->empty()) return std::nullopt;
  if (const auto attr = stat_origin(*origin)) return attr;
  // Without the right to open handles: it mostly has its old name.
  for (const auto& [index, dir] : view.lowers) {
    const auto attr = layer(index).stat(*dir, name);
    if (!attr) continue;
    const auto handle = layer(index).handle(*dir, name);
    if (handle && *handle == *origin) return *attr;
    break;
  }
  return std::nullopt;
}

std::optional<struct stat> OverlayFs::stat_origin(std::string_view origin) {
  for (auto index = lowers_.top(); index <= lowers_.last(); ++index) {
    if (!lowers_.stands_for_its_file_system(index)) continue;
    if (const auto attr = layer(index).stat_handle(origin)) return *attr;
  }
  return std::nullopt;
}

// An ordinary user may read handles and not open them. Who may open one may open all.
bool OverlayFs::opens_handles(std::string_view origin) {
  if (!opens_handles_ && stat_origin(origin)) opens_handles_ = true;
  return opens_handles_;
}

// The number that users see of a file in the upper, which is its origin's.
Result<std::uint64_t> OverlayFs::number_in_upper(const View& view, Name name, dev_t device,
                                                 std::uint64_t ino) {
  if (const auto copied = numbers_.copied(ino)) return *copied;
  const auto attr = TRY(find_origin(view, name));
  return attr ? numbers_.shown(attr->st_dev, attr->st_ino) : numbers_.shown(device, ino);
}

// Where a name that only lower layers have leads to in the index.
Result<OverlayFs::Alias> OverlayFs::alias(const Location& place) {
  const auto layers = TRY(view(TRY(table_.get(place.parent))));
  for (const auto& [index, dir] : layers.lowers) {
    const auto attr = layer(index).stat(*dir, place.name());
    if (!attr) continue;
    return Alias{index_name(TRY(layer(index).handle(*dir, place.name()))), attr->st_nlink};
  }
  return fail(ENOENT);
}

// The names in a directory may be shown by the numbers of other files than they are.
void OverlayFs::mark_impure(const LayerDir& dir) {
  const auto attribute = own_attribute("impure");
  if (upper_->get_xattr(dir, ".", attribute.c_str())) return;
  if (const auto object = upper_->open_object(dir, "."))
    static_cast<void>(upper_->set_xattr(object->get(), attribute.c_str(), "y", 0));
}

bool OverlayFs::impure(const LayerDir& dir) {
  const auto value = overlay_attribute(*upper_, dir, ".", "impure");
  return value && *value;
}

// A name is to be changed that the upper does not have yet of an inode that it has.
Result<> OverlayFs::link_up(InodeId parent, Name name) {
  if (!table_.is_aliased(parent, name)) return {};
  const auto inode = table_.find(parent, name);
  if (!inode) return fail(ENOENT);
  const auto dir = TRY(upper_dir(parent));
  const auto target = TRY(object(*inode));
  Location here{.parent = parent, .linked = true, .aliased = true, .text = {}};
  std::string_view(name).copy(here.text.data(), here.text.size() - 1);
  const auto entry = TRY(alias(here));

  const auto lock = directory_locks_.write(parent);
  const std::lock_guard index_lock(index_mutex_);
  if (!table_.is_aliased(parent, name)) return {};
  const auto node = TRY(table_.get(*inode));
  // Counted from the origin, the number stays right while the upper gets one more.
  const auto all =
      static_cast<std::int64_t>(TRY(sys::stat_fd(target->get())).st_nlink) + node.links_elsewhere;
  TRY(upper_->set_xattr(target->get(), own_attribute("nlink").c_str(),
                        link_count_beyond_origin(all, entry.lower_links), 0));
  TRY(upper_->link(target->get(), *dir, name, Place::free));
  table_.name_is_up(parent, name);
  table_.set_indexed(*inode, node.links_elsewhere - 1);
  return {};
}

// Before the upper's links and all links change by the same number.
Result<> OverlayFs::keep_links(const Node& node, int object) {
  if (!node.indexed) return {};
  return upper_->set_xattr(object, own_attribute("nlink").c_str(),
                           link_count_beyond_upper(node.links_elsewhere), 0);
}

// The last name that anybody could find is gone.
void OverlayFs::leave_index(const Node& node, int object) {
  if (!node.indexed || !upper_->index()) return;
  const auto attr = sys::stat_fd(object);
  if (!attr || static_cast<std::int64_t>(attr->st_nlink) + node.links_elsewhere > 0) return;
  const auto origin = upper_->get_object_xattr(object, own_attribute("origin").c_str());
  if (!origin || !upper_->remove(*upper_->index(), index_name(*origin).c_str(), false)) return;
  table_.set_indexed(node.id, 0);
}

// A lower file that is about to lose one of several names: the others are counted in the index.
Result<> OverlayFs::before_unlink(InodeId inode, InodeId parent, Name name) {
  if (!upper_->index()) return {};
  const auto node = TRY(table_.get(inode));
  if (node.is_dir()) return {};
  if (!node.in_upper) {
    if (node.identity == 0 || TRY(attributes(node)).st_nlink < 2) return {};
    TRY(copy_up(inode));
  }
  return link_up(parent, name);
}

}  // namespace nacre::fs
