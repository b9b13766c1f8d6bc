// SPDX-License-Identifier: Apache-2.0
#pragma once

#define FUSE_USE_VERSION 317
#include <fuse_lowlevel.h>

#include <ctime>

#include "procfs/open_files.h"
#include "procfs/tree.h"

namespace nacre::procfs {

// The userdata of a session with operations().
struct FileSystem {
  Tree& tree;
  OpenFiles& files;
  std::time_t born = 0;  // the time stamp of every file
};

// Decodes requests, asks the tree, encodes answers.
const fuse_lowlevel_ops& operations();

}  // namespace nacre::procfs
