// SPDX-License-Identifier: Apache-2.0
#include "tools/nacre/image/resolve.h"

#include <sys/stat.h>

#include <climits>
#include <cstdlib>

#include "base/parse.h"
#include "tools/nacre/image/busybox.h"

namespace nacre::tool {
namespace {

Result<std::string> layer(std::string_view given) {
  const std::string path(given);
  const auto named = "image layer " + path;
  struct stat st {};
  if (given.empty()) return bad_input("image: an empty layer name; layers are directories joined by ':'");
  if (::stat(path.c_str(), &st) != 0) {
    if (errno == ENOENT && given.find('/') == std::string_view::npos)
      return bad_input("image " + path +
                       ": no such image; give a directory that holds a root file system, or busybox");
    return fail(errno, named);
  }
  if (!S_ISDIR(st.st_mode))
    return bad_input(named + ": not a directory; give one that holds a root file system");
  char resolved[PATH_MAX];
  if (::realpath(path.c_str(), resolved) == nullptr) return fail(errno, named);
  return std::string(resolved);
}

}  // namespace

Result<std::vector<std::string>> resolve_image(std::string_view image) {
  if (image == "busybox") return std::vector<std::string>{TRY(busybox_image())};
  std::vector<std::string> layers;
  for (const auto part : split(image, ':')) layers.push_back(TRY(layer(part)));
  if (layers.empty())
    return bad_input("image: an empty name; give a directory that holds a root file system, or busybox");
  return layers;
}

}  // namespace nacre::tool
