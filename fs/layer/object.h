// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

// Calls on an object held by a descriptor that may be O_PATH, which many system calls
// refuse: they go through the descriptor's magic link in /proc, which leads to the object
// itself (to a symlink, not to its target).
namespace nacre::fs::object {

std::string path(int fd);
Result<std::string> get_xattr(int fd, const char* attribute);
Result<std::vector<std::string>> list_xattrs(int fd);
// The same of a path, whose last part is not followed if it is a symlink.
Result<std::string> get_xattr(const std::string& path, const char* attribute);
Result<std::vector<std::string>> list_xattrs(const std::string& path);

}  // namespace nacre::fs::object
