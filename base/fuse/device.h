// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <span>

namespace nacre::fuse {

// What is called for every request goes by syscall(2): the C library's read(2) and write(2) are cancellation
// points (pthreads(7)), which costs glibc 2.36 two locked instructions a call, and no thread of ours is ever
// cancelled.

// As read(2).
ssize_t read_request(int fd, void* buffer, std::size_t size);

// Gives the kernel an answer, as writev(2) does. Parts that fit in a page together go as one piece of
// memory: the kernel looks up and pins each piece before it copies it (fs/fuse/dev.c, fuse_copy_fill), which
// takes longer than to put a page together.
ssize_t write_answer(int fd, std::span<const iovec> parts);

}  // namespace nacre::fuse
