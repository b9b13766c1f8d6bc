// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/fuse/session.h"

// Requests on open files.
namespace nacre::fs {

void op_create(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode, fuse_file_info* info);
void op_tmpfile(fuse_req_t req, fuse_ino_t parent, mode_t mode, fuse_file_info* info);
void op_open(fuse_req_t req, fuse_ino_t inode, fuse_file_info* info);
void op_read(fuse_req_t req, fuse_ino_t inode, std::size_t size, off_t offset, fuse_file_info* info);
void op_write(fuse_req_t req, fuse_ino_t inode, const char* data, std::size_t size, off_t offset,
              fuse_file_info* info);
void op_release(fuse_req_t req, fuse_ino_t inode, fuse_file_info* info);
void op_fsync(fuse_req_t req, fuse_ino_t inode, int data_only, fuse_file_info* info);
void op_fallocate(fuse_req_t req, fuse_ino_t inode, int mode, off_t offset, off_t length,
                  fuse_file_info* info);
void op_lseek(fuse_req_t req, fuse_ino_t inode, off_t offset, int whence, fuse_file_info* info);
void op_copy_file_range(fuse_req_t req, fuse_ino_t from, off_t from_offset, fuse_file_info* from_info,
                        fuse_ino_t to, off_t to_offset, fuse_file_info* to_info, std::size_t length,
                        int flags);

}  // namespace nacre::fs
