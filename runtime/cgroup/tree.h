// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

// Directories of one cgroup hierarchy, by path below its mount point.
namespace nacre::runtime::tree {

// An absolute path that names a cgroup below the root: no empty, "." or ".." part. The root itself
// is refused, because everything done to a cgroup is done to all that is in it.
Result<> check_path(std::string_view path);

// "/a", "/a/b", "/a/b/c" of "/a/b/c".
std::vector<std::string> prefixes(std::string_view path);

// `directory` and every cgroup below it, the deepest first; nothing when it does not exist.
Result<std::vector<std::string>> descendants(const std::string& directory);

// The processes in `directory` and below, unsorted. Those of other pid namespaces are 0.
Result<std::vector<pid_t>> processes(const std::string& directory);

// rmdir(2) of `directory` and every cgroup below, the deepest first. EBUSY is retried until
// `patience` has passed: the kernel lets go of a cgroup a moment after its last process has ended.
Result<> remove(const std::string& directory, std::chrono::milliseconds patience);

// Asks until it is true, ever less often; false when `patience` has passed.
bool wait_until(std::chrono::milliseconds patience, const std::function<bool()>& condition);

}  // namespace nacre::runtime::tree
