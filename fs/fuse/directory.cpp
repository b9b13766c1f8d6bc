// SPDX-License-Identifier: Apache-2.0
#include "fs/fuse/directory.h"

#include <cstdint>

#include "fs/fuse/answer.h"

namespace nacre::fs {
namespace {

bool is_dot(const std::string& name) { return name == "." || name == ".."; }

// One reply of directory entries, filled up to the size the kernel asked for.
class Page {
 public:
  Page(fuse_req_t req, std::size_t size) : req_(req), bytes_(size, '\0') {}

  bool add(const MergedEntry& entry) {
    struct stat attr {};
    attr.st_ino = entry.ino;
    attr.st_mode = entry.type;
    return take(fuse_add_direntry(req_, place(), room(), entry.name.c_str(), &attr,
                                  static_cast<off_t>(entry.offset)));
  }
  bool add_plus(const MergedEntry& entry, const fuse_entry_param& param) {
    return take(fuse_add_direntry_plus(req_, place(), room(), entry.name.c_str(), &param,
                                       static_cast<off_t>(entry.offset)));
  }
  // Asked before a lookup, which counts a reference.
  bool has_room_plus(const MergedEntry& entry) const {
    return fuse_add_direntry_plus(req_, nullptr, 0, entry.name.c_str(), nullptr, 0) <= room();
  }
  void send() { fuse_reply_buf(req_, bytes_.data(), used_); }

 private:
  char* place() { return bytes_.data() + used_; }
  std::size_t room() const { return bytes_.size() - used_; }
  bool take(std::size_t size) {
    if (size > room()) return false;
    used_ += size;
    return true;
  }

  fuse_req_t req_;
  std::string bytes_;
  std::size_t used_ = 0;
};

// What readdirplus says of one name. A name that is gone by now is given without an inode.
fuse_entry_param entry_of(const FuseService& service, fuse_ino_t dir, const MergedEntry& entry) {
  if (!is_dot(entry.name)) {
    const auto found = service.fs.lookup({dir}, entry.name.c_str());
    if (found) return entry_param(service, *found);
  }
  fuse_entry_param param{};
  param.attr.st_ino = entry.ino;
  param.attr.st_mode = entry.type;
  return param;
}

}  // namespace

void op_opendir(fuse_req_t req, fuse_ino_t, fuse_file_info* info) {
  const auto& service = service_of(req);
  // It asks no more then, and keeps what directories list.
  if (service.kernel_opens_directories) return static_cast<void>(fuse_reply_err(req, ENOSYS));
  // Names that the kernel may not remember it may not list from memory, either.
  info->keep_cache = info->cache_readdir = service.timeout > 0 ? 1 : 0;
  fuse_reply_open(req, info);
}

void op_readdir(fuse_req_t req, fuse_ino_t inode, std::size_t size, off_t offset, fuse_file_info*) {
  const auto filled = fuse::guarded([&]() -> Result<Page> {
    Page page(req, size);
    TRY(service_of(req).fs.readdir({inode}, static_cast<std::uint64_t>(offset),
                                   [&](const MergedEntry& entry) { return page.add(entry); }));
    return page;
  });
  if (!filled) return reply_error(req, filled.error());
  Page(*filled).send();
}

void op_readdirplus(fuse_req_t req, fuse_ino_t inode, std::size_t size, off_t offset, fuse_file_info*) {
  const auto& service = service_of(req);
  const auto filled = fuse::guarded([&]() -> Result<Page> {
    Page page(req, size);
    TRY(service.fs.readdir({inode}, static_cast<std::uint64_t>(offset), [&](const MergedEntry& entry) {
      return page.has_room_plus(entry) && page.add_plus(entry, entry_of(service, inode, entry));
    }));
    return page;
  });
  if (!filled) return reply_error(req, filled.error());
  Page(*filled).send();
}

void op_fsyncdir(fuse_req_t req, fuse_ino_t inode, int, fuse_file_info*) {
  answer(req, [&](OverlayFs& fs) -> Result<> {
    if (!fs.syncs()) return fail(ENOSYS);  // the kernel never asks again
    return fs.fsyncdir({inode});
  });
}

}  // namespace nacre::fs
