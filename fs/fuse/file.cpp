// SPDX-License-Identifier: Apache-2.0
#include "fs/fuse/file.h"

#include <fcntl.h>

#include <cstdint>

#include "fs/fuse/answer.h"

namespace nacre::fs {
namespace {

// What the kernel is told of an open file. Its page cache holds what we say until it is
// written through us, so it is not dropped at open.
void describe(fuse_file_info* info, const OverlayFs::Opened& opened) {
  info->fh = opened.handle.value;
  info->backing_id = opened.backing;
  info->keep_cache = opened.backing == 0 && opened.keep_cache ? 1 : 0;
  info->noflush = 1;
}

void reply_created(fuse_req_t req, fuse_file_info* info, const Result<OverlayFs::Created>& created) {
  if (!created) return reply_error(req, created.error());
  auto& service = service_of(req);
  describe(info, created->opened);
  const auto param = entry_param(service, created->entry);
  if (fuse_reply_create(req, &param, info) != -ENOENT) return;
  service.fs.release(created->opened.handle);
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
  const auto opened = fuse::guarded([&] { return fs.open(caller_of(req), {inode}, info->flags); });
  if (!opened) return reply_error(req, opened.error());
  // The kernel forgets the size and the times by itself, but a set-id bit that went with the
  // data it would show for ever.
  if ((info->flags & O_TRUNC) != 0 && !caller_of(req).keeps_set_id)
    service_of(req).notes.drop_attributes({inode});
  describe(info, *opened);
  if (fuse_reply_open(req, info) == -ENOENT) fs.release(opened->handle);
}

// The pages go from file to kernel without a copy of ours.
static void reply_spliced(fuse_req_t req, const Result<DataRef>& source, std::size_t size, off_t offset) {
  if (!source) return reply_error(req, source.error());
  fuse_bufvec data = FUSE_BUFVEC_INIT(size);
  data.buf[0].flags = static_cast<fuse_buf_flags>(FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK);
  data.buf[0].fd = (*source)->get();
  data.buf[0].pos = offset;
  fuse_reply_data(req, &data, FUSE_BUF_SPLICE_MOVE);
}

void op_read(fuse_req_t req, fuse_ino_t, std::size_t size, off_t offset, fuse_file_info* info) {
  constexpr std::size_t kSplice = 64 * 1024;  // below, a copy is cheaper than the pipe
  if (size >= kSplice) {
    const auto source = fuse::guarded([&] { return service_of(req).fs.read_source({info->fh}); });
    return reply_spliced(req, source, size, offset);
  }
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
