// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nacre::test {

// Writes a tree of files below an existing directory, making parents as needed. Throws
// when it cannot: a test that cannot set its scene is broken.
class TreeBuilder {
 public:
  using Files = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  explicit TreeBuilder(std::string root) : root_(std::move(root)) {}

  // Names and contents; a name that ends in '/' is a directory.
  TreeBuilder& files(Files files);
  TreeBuilder& dir(std::string_view path);
  TreeBuilder& symlink(std::string_view path, std::string_view target);
  TreeBuilder& whiteout(std::string_view path);  // character device 0/0
  // Marks a directory as opaque, in user.overlay.* so that no privilege is needed.
  TreeBuilder& opaque(std::string_view path, std::string_view value = "y");
  TreeBuilder& xattr(std::string_view path, const char* name, std::string_view value);

  // Every name below the root, sorted: "d/", "d/file", "gone (whiteout)", "link -> target",
  // "e/ (opaque)".
  std::vector<std::string> names() const;

  const std::string& root() const { return root_; }

 private:
  std::string place(std::string_view path);
  std::string root_;
};

}  // namespace nacre::test
