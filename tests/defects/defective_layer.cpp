// SPDX-License-Identifier: Apache-2.0
#include "tests/defects/defective_layer.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "fs/layer/data_copy.h"
#include "fs/layer/markers.h"
#include "tests/defects/escape.h"

namespace nacre::test {
namespace {

constexpr auto kDefects = std::to_array<std::string_view>({
    "list-shows-whiteouts", "list-forgets-a-name", "readlink-cuts",      "stale-descriptor",
    "unlinked-is-lost",     "symlink-cuts",        "fifo-becomes-file",  "publish-keeps-whiteout",
    "copy-loses-the-end",   "copy-shifts-data",    "owner-is-lost",      "set-id-is-lost",
    "truncate-keeps-data",  "truncate-adds-none",  "times-are-lost",     "xattr-is-lost",
    "xattr-stays",          "not-opaque",          "mkdir-mode",         "no-whiteout",
    "whiteout-keeps-file",  "rmdir-of-whiteouts",  "rename-no-whiteout", "rename-over-whiteout",
    "exchange-is-rename",   "link-is-a-copy",      "link-over-whiteout", "rename-keeps-target",
    "hard-links-break",     "link-count-is-lost",  "redirect-is-lost",
});

// A copy in memory of what a descriptor has: what is written to it gets lost.
Result<UniqueFd> detached(UniqueFd real) {
  UniqueFd copy(::memfd_create("stale", MFD_CLOEXEC));
  const auto attr = TRY(sys::stat_fd(real.get()));
  TRY(fs::copy_file_data(real.get(), copy.get(), static_cast<std::uint64_t>(attr.st_size)));
  return copy;
}

}  // namespace

std::span<const std::string_view> DefectiveLayer::defects() { return kDefects; }

Result<std::vector<sys::DirEntry>> DefectiveLayer::list(const fs::LayerDir& dir) {
  auto entries = TRY(inner().list(dir));
  if (has("list-shows-whiteouts"))
    for (auto& entry : entries)
      if (entry.type == DT_CHR) entry.type = DT_REG;
  if (has("list-forgets-a-name") && entries.size() > 3) entries.pop_back();
  return entries;
}

Result<std::string> DefectiveLayer::read_link(const fs::LayerDir& dir, const char* name) {
  auto target = TRY(inner().read_link(dir, name));
  if (has("readlink-cuts")) target.pop_back();
  return target;
}

Result<UniqueFd> DefectiveLayer::open(const fs::LayerDir& dir, const char* name, int flags) {
  auto fd = TRY(inner().open(dir, name, flags));
  if (has("stale-descriptor") && (flags & O_ACCMODE) == O_RDWR) return detached(std::move(fd));
  return fd;
}

Result<UniqueFd> DefectiveLayer::reopen(int object, int flags) {
  if (has("unlinked-is-lost")) return fail(ENOENT);
  return inner().reopen(object, flags);
}

fs::NewNode DefectiveLayer::changed(const fs::NewNode& what) {
  auto node = what;
  if (has("symlink-cuts") && S_ISLNK(node.mode)) {
    target_.assign(node.target).pop_back();
    node.target = target_.c_str();
  }
  if (has("fifo-becomes-file") && S_ISFIFO(node.mode)) node.mode = (node.mode & 07777) | S_IFREG;
  if (has("mkdir-mode") && S_ISDIR(node.mode)) node.mode &= ~mode_t{077};
  return node;
}

Result<fs::Staged> DefectiveLayer::stage(const fs::NewNode& what) { return inner().stage(changed(what)); }

Result<> DefectiveLayer::create(const fs::LayerDir& dir, const char* name, const fs::NewNode& what) {
  return inner().create(dir, name, changed(what));
}

Result<> DefectiveLayer::publish(fs::Staged& staged, const fs::LayerDir& dir, const char* name,
                                 fs::Place place) {
  if (has("publish-keeps-whiteout") && place == fs::Place::occupied) {
    inner().discard(staged);
    return {};
  }
  return inner().publish(staged, dir, name, place);
}

Result<> DefectiveLayer::copy_data(int from, int to, std::uint64_t size) {
  if (has("copy-loses-the-end")) size -= size % 4096;
  TRY(inner().copy_data(from, to, size));
  if (has("copy-shifts-data") && size > 4096 && ::pwrite(to, "\0", 1, 4096) != 1) return fail(errno);
  return {};
}

Result<> DefectiveLayer::set_owner(int object, uid_t uid, gid_t gid) {
  return has("owner-is-lost") ? Result<>{} : inner().set_owner(object, uid, gid);
}

Result<> DefectiveLayer::set_mode(int object, mode_t mode) {
  return inner().set_mode(object, has("set-id-is-lost") ? mode & ~mode_t{06000} : mode);
}

Result<> DefectiveLayer::set_size(int object, std::uint64_t size) {
  const auto old = static_cast<std::uint64_t>(TRY(sys::stat_fd(object)).st_size);
  if ((has("truncate-keeps-data") && size < old) || (has("truncate-adds-none") && size > old)) return {};
  return inner().set_size(object, size);
}

Result<> DefectiveLayer::set_times(int object, std::span<const timespec, 2> times) {
  return has("times-are-lost") ? Result<>{} : inner().set_times(object, times);
}

Result<> DefectiveLayer::set_xattr(int object, const char* attribute, std::string_view value, int flags) {
  const std::string_view name(attribute);
  if (defect_ == kEscape && name == "user.attempt") return attempt_to_escape(value);
  if (has("xattr-is-lost")) return {};
  if (has("link-count-is-lost") && name.ends_with("overlay.nlink")) return {};
  if (has("redirect-is-lost") && name.ends_with("overlay.redirect")) return {};
  return inner().set_xattr(object, attribute, value, flags);
}

fs::DirRef DefectiveLayer::index() const { return has("hard-links-break") ? nullptr : FaultyLayer::index(); }

Result<> DefectiveLayer::remove_xattr(int object, const char* attribute) {
  return has("xattr-stays") ? Result<>{} : inner().remove_xattr(object, attribute);
}

Result<> DefectiveLayer::set_opaque(int object) {
  return has("not-opaque") ? Result<>{} : inner().set_opaque(object);
}

Result<> DefectiveLayer::white_out(const fs::LayerDir& dir, const char* name, fs::Place place) {
  if (has("no-whiteout")) return place == fs::Place::free ? Result<>{} : inner().remove(dir, name, false);
  if (has("whiteout-keeps-file") && place == fs::Place::occupied) return {};
  if (has("rmdir-of-whiteouts") && place == fs::Place::occupied)
    if (const auto inside = inner().open_dir(dir, name); inside && !TRY(inner().list(**inside)).empty())
      return fail(ENOTEMPTY);
  return inner().white_out(dir, name, place);
}

Result<> DefectiveLayer::rename(const fs::LayerDir& from, const char* name, const fs::LayerDir& to,
                                const char* new_name, unsigned flags) {
  if (has("rename-no-whiteout")) flags &= ~unsigned{RENAME_WHITEOUT};
  if (has("exchange-is-rename")) flags &= ~unsigned{RENAME_EXCHANGE};
  const auto target = inner().stat(to, new_name);
  if (has("rename-over-whiteout") && target && fs::is_whiteout(*target)) return fail(EEXIST);
  if (has("rename-keeps-target") && target && S_ISREG(target->st_mode)) flags |= RENAME_EXCHANGE;
  if ((flags & RENAME_EXCHANGE) != 0) flags &= ~unsigned{RENAME_WHITEOUT};
  return inner().rename(from, name, to, new_name, flags);
}

Result<> DefectiveLayer::link(int object, const fs::LayerDir& dir, const char* name, fs::Place place) {
  if (has("link-over-whiteout") && place == fs::Place::occupied) return fail(EEXIST);
  const auto attr = TRY(sys::stat_fd(object));
  if (!has("link-is-a-copy") || !S_ISREG(attr.st_mode) || place == fs::Place::occupied)
    return inner().link(object, dir, name, place);
  auto copy = TRY(inner().stage({.mode = attr.st_mode}));
  const auto data = TRY(inner().reopen(object, O_RDONLY));
  TRY(inner().copy_data(data.get(), copy.fd.get(), static_cast<std::uint64_t>(attr.st_size)));
  return inner().publish(copy, dir, name, place);
}

}  // namespace nacre::test
