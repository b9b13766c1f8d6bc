// SPDX-License-Identifier: Apache-2.0
#include "fs/layer/upper_directory.h"

#include <stdio.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <array>
#include <cstdint>

#include "base/scope_exit.h"
#include "base/sys/checked.h"
#include "fs/layer/data_copy.h"
#include "fs/layer/object.h"

namespace nacre::fs {
namespace {

using sys::succeed;

constexpr dev_t kWhiteout = 0;

bool is_directory(int fd) {
  const auto st = sys::stat_fd(fd);
  return st && S_ISDIR(st->st_mode);
}

// mknod for everything that has a name only; the mode is exact, whatever the umask.
Result<> make_node(int dir, const char* name, const NewNode& what) {
  switch (what.mode & S_IFMT) {
    case S_IFDIR: TRY(succeed([&] { return ::mkdirat(dir, name, what.mode & 07777); })); break;
    case S_IFLNK: return succeed([&] { return ::symlinkat(what.target, dir, name); });
    default: TRY(succeed([&] { return ::mknodat(dir, name, what.mode, what.device); })); break;
  }
  // mkdir(2) leaves out the set-id bits on some file systems.
  if ((what.mode & 07000) == 0) return {};
  return succeed([&] { return ::fchmodat(dir, name, what.mode & 07777, 0); });
}

// Gives a name to a file by its descriptor alone.
Result<> link_object(int object, int dir, const char* name) {
  if (::linkat(object, "", dir, name, AT_EMPTY_PATH) == 0) return {};
  if (errno != ENOENT) return fail(errno);
  // Without CAP_DAC_READ_SEARCH the same is done through /proc.
  return succeed(
      [&] { return ::linkat(AT_FDCWD, object::path(object).c_str(), dir, name, AT_SYMLINK_FOLLOW); });
}

Result<> rename_at(int from, const char* name, int to, const char* new_name, unsigned flags) {
  return succeed([&] { return ::renameat2(from, name, to, new_name, flags); });
}

// rm -rf below the work directory. What cannot be removed stays for the next mount.
void remove_all(int dir, const char* name) noexcept {
  if (::unlinkat(dir, name, 0) == 0 || errno == ENOENT) return;
  if (const auto inner = sys::open_beneath(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW)) {
    if (const auto entries = sys::list_directory(inner->get()))
      for (const auto& entry : *entries) remove_all(inner->get(), entry.name.c_str());
  }
  ::unlinkat(dir, name, AT_REMOVEDIR);
}

}  // namespace

Result<std::unique_ptr<UpperDirectory>> UpperDirectory::create(UniqueFd root, UniqueFd work, UniqueFd index,
                                                               const Format& format) {
  std::unique_ptr<UpperDirectory> upper(new UpperDirectory(std::move(root), std::move(work)));
  // What a killed process was building is of no use to anyone.
  for (const auto& entry : TRY(sys::list_directory(upper->work_.fd()))) upper->clear(entry.name.c_str());
  upper->markers_ = format.markers;
  upper->probe(format.user_xattrs);
  if (index && upper->attributes_) {
    upper->index_ = std::make_shared<HostDir>(std::move(index));
    TRY(upper->tidy_index());
  }
  return upper;
}

// An index entry whose file has lost its last name was on its way out.
Result<> UpperDirectory::tidy_index() {
  for (const auto& entry : TRY(sys::list_directory(index_->fd()))) {
    const auto attr = stat(*index_, entry.name.c_str());
    const auto links =
        get_xattr(*index_, entry.name.c_str(), std::string(attribute_prefix()).append("nlink").c_str());
    if (!attr || !links) continue;
    const auto elsewhere = parse_link_count(*links, attr->st_nlink);
    if (elsewhere && static_cast<std::int64_t>(attr->st_nlink) + *elsewhere <= 0)
      ::unlinkat(index_->fd(), entry.name.c_str(), 0);
  }
  return {};
}

// What its file system allows: whiteouts and attributes as kernel overlayfs has them, or else marker
// files, which only fuse-overlayfs and we understand. One that is full allows what it would allow:
// somebody mounts it to make space.
void UpperDirectory::probe(bool user_xattrs) {
  const auto refused = [](int code) { return code != ENOSPC && code != EDQUOT; };
  const auto name = fresh_name();
  if (::mknodat(work_.fd(), name.c_str(), S_IFCHR, kWhiteout) != 0 && refused(errno)) markers_ = true;
  clear(name.c_str());
  for (const auto choice : {XattrNamespace::trusted, XattrNamespace::user}) {
    if (choice == XattrNamespace::trusted && user_xattrs) continue;
    xattrs_ = choice;
    // On the work directory, as kernel overlayfs tries it: a directory of its own would take space.
    const auto tried =
        set_xattr(work_.fd(), std::string(attribute_prefix()).append("opaque").c_str(), "0", 0);
    if (tried || !refused(tried.error().code)) return;
  }
  attributes_ = false;
}

std::string UpperDirectory::fresh_name() { return "#" + std::to_string(counter_.fetch_add(1)); }

void UpperDirectory::clear(const char* name) noexcept { remove_all(work_.fd(), name); }

Result<> UpperDirectory::replace(const char* name, const LayerDir& dir, const char* target) {
  auto done = rename_at(work_.fd(), name, fd_of(dir), target, 0);
  if (done) return done;
  const int code = done.error().code;
  if (code != EISDIR && code != ENOTDIR && code != ENOTEMPTY && code != EEXIST) return done;
  // An exchange works for every combination of kinds; what comes out is thrown away.
  TRY(rename_at(work_.fd(), name, fd_of(dir), target, RENAME_EXCHANGE));
  clear(name);
  return {};
}

// --- objects outside the tree -----------------------------------------------------------

Result<Staged> UpperDirectory::stage(const NewNode& what) {
  Staged staged{.fd = {}, .name = {}, .type = what.mode & S_IFMT};
  if (S_ISREG(what.mode) && nameless_) {
    auto fd = sys::open_at(work_.fd(), ".", O_TMPFILE | O_RDWR, what.mode & 07777);
    if (fd) {
      staged.fd = std::move(*fd);
      return staged;
    }
    if (fd.error().code != EOPNOTSUPP && fd.error().code != EISDIR) return fail(fd.error().code);
    nameless_ = false;
  }
  staged.name = fresh_name();
  TRY(make_node(work_.fd(), staged.name.c_str(), what));
  ScopeExit undo{[&] { discard(staged); }};
  staged.fd =
      TRY(sys::open_at(work_.fd(), staged.name.c_str(), (S_ISREG(what.mode) ? O_RDWR : O_PATH) | O_NOFOLLOW));
  undo.dismiss();
  return staged;
}

void UpperDirectory::discard(Staged& staged) noexcept {
  if (!staged.name.empty()) clear(staged.name.c_str());
  staged.name.clear();
  staged.fd.reset();
}

Result<> UpperDirectory::publish(Staged& staged, const LayerDir& dir, const char* name, Place place) {
  if (staged.name.empty()) {
    if (place == Place::free) return link_object(staged.fd.get(), fd_of(dir), name);
    auto temporary = fresh_name();
    TRY(link_object(staged.fd.get(), work_.fd(), temporary.c_str()));
    staged.name = std::move(temporary);
  }
  if (place == Place::free) {
    TRY(rename_at(work_.fd(), staged.name.c_str(), fd_of(dir), name, RENAME_NOREPLACE));
  } else {
    TRY(replace(staged.name.c_str(), dir, name));
  }
  staged.name.clear();
  return {};
}

// --- objects by descriptor ----------------------------------------------------------------

Result<UniqueFd> UpperDirectory::open_object(const LayerDir& dir, const char* name) {
  return sys::open_beneath(fd_of(dir), name, O_PATH | O_NOFOLLOW);
}

Result<UniqueFd> UpperDirectory::reopen(int object, int flags) {
  return sys::open_at(AT_FDCWD, object::path(object).c_str(), flags);
}

Result<> UpperDirectory::copy_data(int from, int to, std::uint64_t size) {
  return copy_file_data(from, to, size);
}

Result<> UpperDirectory::set_owner(int object, uid_t uid, gid_t gid) {
  return succeed([&] { return ::fchownat(object, "", uid, gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW); });
}

Result<> UpperDirectory::set_mode(int object, mode_t mode) {
  return succeed([&] { return ::chmod(object::path(object).c_str(), mode & 07777); });
}

Result<> UpperDirectory::set_size(int object, std::uint64_t size) {
  return succeed([&] { return ::truncate(object::path(object).c_str(), static_cast<off_t>(size)); });
}

Result<> UpperDirectory::set_times(int object, std::span<const timespec, 2> times) {
  return succeed([&] { return ::utimensat(object, "", times.data(), AT_EMPTY_PATH); });
}

Result<std::string> UpperDirectory::get_object_xattr(int object, const char* attribute) {
  return object::get_xattr(object, attribute);
}

Result<std::vector<std::string>> UpperDirectory::list_object_xattrs(int object) {
  return object::list_xattrs(object);
}

Result<> UpperDirectory::set_xattr(int object, const char* attribute, std::string_view value, int flags) {
  const auto set = [&] {
    return succeed([&] {
      return ::setxattr(object::path(object).c_str(), attribute, value.data(), value.size(), flags);
    });
  };
  auto done = set();
  if (done || done.error().code != EACCES) return done;
  // An ordinary user needs the right to write a file of his to change its user.* attributes.
  const auto attr = TRY(sys::stat_fd(object));
  if (!set_mode(object, attr.st_mode | S_IWUSR)) return done;
  done = set();
  TRY(set_mode(object, attr.st_mode));
  return done;
}

Result<> UpperDirectory::remove_xattr(int object, const char* attribute) {
  return succeed([&] { return ::removexattr(object::path(object).c_str(), attribute); });
}

Result<> UpperDirectory::set_opaque(int object) {
  const auto set = set_xattr(object, (std::string(attribute_prefix()) + "opaque").c_str(), "y", 0);
  if (set || (set.error().code != EOPNOTSUPP && set.error().code != EPERM)) return set;
  return make_marker(object, kArchiveOpaque);
}

Result<> UpperDirectory::sync(int object) {
  if (::fsync(object) == 0) return {};
  if (errno != EBADF) return fail(errno);
  const auto fd = sys::open_at(AT_FDCWD, object::path(object).c_str(),
                               is_directory(object) ? O_RDONLY | O_DIRECTORY : O_RDONLY);
  if (!fd) return {};  // a device or a symlink has nothing of its own to write
  return succeed([&] { return ::fsync(fd->get()); });
}

// --- the tree ----------------------------------------------------------------------------

Result<> UpperDirectory::create(const LayerDir& dir, const char* name, const NewNode& what) {
  return make_node(fd_of(dir), name, what);
}

Result<UniqueFd> UpperDirectory::create_file(const LayerDir& dir, const char* name, mode_t mode) {
  return sys::open_at(fd_of(dir), name, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW, mode & 07777);
}

Result<struct statvfs> UpperDirectory::statistics() {
  auto result = TRY(host::statistics(*root_));
  // A name must fit behind ".wh." to be removed.
  if (markers_) result.f_namemax -= kArchiveMarker.size();
  return result;
}

Result<> UpperDirectory::make_marker(int dir, const char* name) {
  const auto fd = sys::open_at(dir, name, O_CREAT | O_WRONLY | O_NOFOLLOW, 0700);
  return fd ? Result<>{} : fail(fd.error().code);
}

Result<> UpperDirectory::white_out(const LayerDir& dir, const char* name, Place place) {
  if (markers_) {
    // Harmless beside what it removes, should that not go away.
    TRY(make_marker(fd_of(dir), marker_of(name).c_str()));
    if (place == Place::free) return {};
    const auto attr = TRY(stat(dir, name));
    return remove(dir, name, S_ISDIR(attr.st_mode));
  }
  if (place == Place::free) return succeed([&] { return ::mknodat(fd_of(dir), name, S_IFCHR, kWhiteout); });
  const auto staged = fresh_name();
  TRY(succeed([&] { return ::mknodat(work_.fd(), staged.c_str(), S_IFCHR, kWhiteout); }));
  ScopeExit undo{[&] { clear(staged.c_str()); }};
  TRY(replace(staged.c_str(), dir, name));
  undo.dismiss();
  return {};
}

Result<> UpperDirectory::remove(const LayerDir& dir, const char* name, bool is_dir) {
  const auto removed = succeed([&] { return ::unlinkat(fd_of(dir), name, is_dir ? AT_REMOVEDIR : 0); });
  if (removed || !is_dir || (removed.error().code != ENOTEMPTY && removed.error().code != EEXIST))
    return removed;
  // Only whiteouts are left in it: they go with it, in one step for everyone who looks.
  const auto aside = fresh_name();
  TRY(rename_at(fd_of(dir), name, work_.fd(), aside.c_str(), RENAME_NOREPLACE));
  clear(aside.c_str());
  return {};
}

Result<> UpperDirectory::rename(const LayerDir& from, const char* name, const LayerDir& to,
                                const char* new_name, unsigned flags) {
  if (markers_ && (flags & RENAME_WHITEOUT) != 0) {
    TRY(make_marker(fd_of(from), marker_of(name).c_str()));
    flags &= ~unsigned{RENAME_WHITEOUT};
  }
  return rename_at(fd_of(from), name, fd_of(to), new_name, flags);
}

Result<> UpperDirectory::link(int object, const LayerDir& dir, const char* name, Place place) {
  if (place == Place::free) return link_object(object, fd_of(dir), name);
  const auto staged = fresh_name();
  TRY(link_object(object, work_.fd(), staged.c_str()));
  ScopeExit undo{[&] { clear(staged.c_str()); }};
  TRY(replace(staged.c_str(), dir, name));
  undo.dismiss();
  return {};
}

}  // namespace nacre::fs
