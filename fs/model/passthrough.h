// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace nacre::fs {

// How the kernel is told to read and write a file by itself instead of asking us
// (Documentation/filesystems/fuse/fuse-passthrough.rst). All descriptors that are open on
// one inode at a time must agree, so it is OpenFile that has the number.
class Passthrough {
 public:
  virtual ~Passthrough() = default;
  // False: open() will not succeed any more.
  virtual bool works() const noexcept = 0;
  // A number for the regular file behind `fd`, which may be closed afterwards. 0: not possible.
  virtual int open(int fd) noexcept = 0;
  virtual void close(int number) noexcept = 0;
};

}  // namespace nacre::fs
