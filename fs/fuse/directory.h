// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/fuse/session.h"

// Requests to list directories.
namespace nacre::fs {

void op_opendir(fuse_req_t req, fuse_ino_t inode, fuse_file_info* info);
void op_readdir(fuse_req_t req, fuse_ino_t inode, std::size_t size, off_t offset, fuse_file_info* info);
void op_readdirplus(fuse_req_t req, fuse_ino_t inode, std::size_t size, off_t offset, fuse_file_info* info);
void op_fsyncdir(fuse_req_t req, fuse_ino_t inode, int data_only, fuse_file_info* info);

}  // namespace nacre::fs
