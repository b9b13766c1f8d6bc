// SPDX-License-Identifier: Apache-2.0
#include "fs/fuse/file.h"

#include <fcntl.h>

#include <cstdint>

#include "fs/fuse/answer.h"

namespace nacre::fs {
namespace {

// The page cache holds what we say until it is written through us: never dropped at open.
void keep_cache(fuse_file_info* info, HandleId handle) {
  info->fh = handle.value;
  info->keep_cache = 1;
  info->noflush = 1;
}

void reply_created(fuse_req_t req, fuse_file_info* info, const Result<OverlayFs::Created>& created) {
  if (!created) return reply_error(req, created.error());
  auto& service = service_of(req);
  keep_cache(info, created->handle);
  const auto param = entry_param(service, created->entry);
  if (fuse_reply_create(req, &param, info) != -ENOENT) return;
  service.fs.release(created->handle);
  service.fs.forget(created->entry.inode, 1);
}

}  // namespace

void op_create(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode, fuse_file_info* info) {
  reply_created(req, info, fuse::guarded([&] {
                  return service_of(req).fs.create(caller_of(req), {parent}, name, mode);
                }));
}

void op_tmpfile(fuse_req_t req, fuse_ino_t parent, mode_t mode, fuse_file_info* info) {
  reply_created(req, info,
                fuse::guarded([&] { return service_of(req).fs.tmpfile(caller_of(req), {parent}, mode); }));
}

void op_open(fuse_req_t req, fuse_ino_t inode, fuse_file_info* info) {
  auto& fs = service_of(req).fs;
  const auto handle = fuse::guarded([&] { return fs.open(caller_of(req), {inode}, info->flags); });
  if (!handle) return reply_error(req, handle.error());
  // The kernel forgets the size and the times by itself, but a set-id bit that went with the
  // data it would show for ever.
  if ((info->flags & O_TRUNC) != 0 && caller_of(req).uid != 0)
    fuse_lowlevel_notify_inval_inode(service_of(req).session, inode, -1, 0);
  keep_cache(info, *handle);
  if (fuse_reply_open(req, info) == -ENOENT) fs.release(*handle);
}

void op_read(fuse_req_t req, fuse_ino_t, std::size_t size, off_t offset, fuse_file_info* info) {
  // One buffer per thread; a request is at most 1 MiB.
  thread_local std::vector<char> buffer;
  const auto count = fuse::guarded([&] {
    if (buffer.size() < size) buffer.resize(size);
    return service_of(req).fs.read({info->fh}, {buffer.data(), size}, static_cast<std::uint64_t>(offset));
  });
  if (!count) return reply_error(req, count.error());
  fuse_reply_buf(req, buffer.data(), *count);
}

void op_write(fuse_req_t req, fuse_ino_t, const char* data, std::size_t size, off_t offset,
              fuse_file_info* info) {
  answer(req, [&](OverlayFs& fs) {
    return fs.write(caller_of(req), {info->fh}, {data, size}, static_cast<std::uint64_t>(offset));
  });
}

void op_release(fuse_req_t req, fuse_ino_t, fuse_file_info* info) {
  service_of(req).fs.release({info->fh});
  fuse_reply_err(req, 0);
}

void op_fsync(fuse_req_t req, fuse_ino_t, int data_only, fuse_file_info* info) {
  answer(req, [&](OverlayFs& fs) -> Result<> {
    if (!fs.syncs()) return fail(ENOSYS);  // the kernel never asks again
    return fs.fsync({info->fh}, data_only != 0);
  });
}

void op_fallocate(fuse_req_t req, fuse_ino_t, int mode, off_t offset, off_t length, fuse_file_info* info) {
  answer(req, [&](OverlayFs& fs) {
    return fs.fallocate({info->fh}, mode, static_cast<std::uint64_t>(offset),
                        static_cast<std::uint64_t>(length));
  });
}

void op_lseek(fuse_req_t req, fuse_ino_t, off_t offset, int whence, fuse_file_info* info) {
  const auto at = fuse::guarded(
      [&] { return service_of(req).fs.lseek({info->fh}, static_cast<std::uint64_t>(offset), whence); });
  if (!at) return reply_error(req, at.error());
  fuse_reply_lseek(req, static_cast<off_t>(*at));
}

void op_copy_file_range(fuse_req_t req, fuse_ino_t, off_t from_offset, fuse_file_info* from_info, fuse_ino_t,
                        off_t to_offset, fuse_file_info* to_info, std::size_t length, int) {
  answer(req, [&](OverlayFs& fs) {
    return fs.copy_file_range({from_info->fh}, static_cast<std::uint64_t>(from_offset), {to_info->fh},
                              static_cast<std::uint64_t>(to_offset), length);
  });
}

}  // namespace nacre::fs
