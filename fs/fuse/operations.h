// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "base/fuse/session.h"
#include "fs/control.h"
#include "fs/fuse/kernel_notes.h"
#include "fs/fuse/kernel_passthrough.h"
#include "fs/overlay_fs.h"

namespace nacre::fs {

// What the requests of one FUSE connection are served with.
struct FuseService {
  OverlayFs& fs;
  double timeout = 1e9;                      // seconds for which the kernel may remember what we say
  bool acl = true;                           // POSIX ACLs
  bool xattrs = true;                        // false: the kernel is told once that there are none
  KernelPassthrough* passthrough = nullptr;  // enabled when the kernel agrees; null: not wanted
  bool kernel_opens_directories = false;     // it can, and may keep what they list
  KernelNotes& notes;
  ServerAddress address{};
  std::function<void()> on_ready;  // called when the kernel's first request was answered
};

// Decode a request, call one method of OverlayFs, answer. The userdata of the session is
// the FuseService.
const fuse_lowlevel_ops& operations();

}  // namespace nacre::fs
