// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "procfs/registry.h"

namespace nacre::procfs {

// A node of the file system: the container in the upper half, the instance (which CPU, which disk) and the
// place in the tree in the lower. It is a function of what the node is, so it never changes meaning.
// Container 0 is the tree that asks who the caller is; index 0 is the root, 1 a container's directory.
struct NodeId {
  ContainerNumber container = 0;
  std::uint16_t instance = 0;
  std::uint16_t index = 0;

  // The root is 1, as FUSE wants it.
  std::uint64_t raw() const {
    return (std::uint64_t{container} << 32) | ((std::uint64_t{instance} << 16 | index) + 1);
  }
  static NodeId from(std::uint64_t raw) {
    const auto low = static_cast<std::uint32_t>(raw) - 1;
    return {static_cast<ContainerNumber>(raw >> 32), static_cast<std::uint16_t>(low >> 16),
            static_cast<std::uint16_t>(low)};
  }
  bool operator==(const NodeId&) const = default;
};

// How long the kernel may believe in a name.
enum class Lasting {
  forever,
  second,  // CPUs come and go with a changed quota
  never,   // depends on who asks, or on which containers there are, or is asked for once
};

struct TreeEntry {
  std::string name;
  NodeId id;
  bool directory = false;
  Lasting lasting = Lasting::forever;
};

// The names of the file system:
//   containers/ID/…   a registered container's files, by the last part of where they are attached: one
//                     listing is all that it takes to know them
//   containers/.N/…   the same by its number, also before it is registered: they cannot be read until then
//   proc/…  sys/…     the same for whoever asks (its pid decides)
class Tree {
 public:
  // In `state` a successor, also one of another version with other files, finds which index is which: the
  // kernel knows them from containers that run on.
  explicit Tree(Registry& registry, StateFile* state = nullptr);
  // The key of that.
  static constexpr const char* kKept = "nodes";

  static constexpr const char* kContainers = "containers";
  // Of a container's directory, by its number. No id begins with a dot.
  static std::string name_ahead(ContainerNumber number) { return "." + std::to_string(number); }

  // `caller` matters only below proc and sys of the root.
  Result<TreeEntry> lookup(NodeId directory, std::string_view name, pid_t caller);
  Result<std::vector<TreeEntry>> list(NodeId directory, pid_t caller);
  bool is_directory(NodeId id) const;
  bool is_writable(NodeId id) const;
  bool is_long(NodeId id) const;  // FileRow::is_long
  // Does this id denote something at all? Ids come from the kernel, but also from handles.
  bool exists(NodeId id) const;

  struct File {
    ContainerRef container;
    const struct FileRow* row = nullptr;
    std::size_t instance = 0;
  };
  // EISDIR for a directory, ESTALE when its container is gone.
  Result<File> file(NodeId id, pid_t caller);

  // The id of a path below a container's directory; for tests and tools.
  Result<NodeId> resolve(NodeId directory, std::string_view path, pid_t caller);

 private:
  struct Node {
    std::string path;  // by which a successor knows it
    std::string name;
    const struct FileRow* row = nullptr;
    std::vector<std::uint16_t> children;
    const struct InstanceRow* instances = nullptr;  // one directory for each of these
    bool of_container = false;                      // below a container's directory, not below the root
    bool present = false;                           // not one that only another version has
  };
  std::string paths() const;
  void add(std::uint16_t directory, std::string_view path, const struct FileRow& row);
  std::uint16_t child_named(std::uint16_t parent, std::string_view name);
  Result<ContainerRef> container_of(NodeId id, pid_t caller);
  TreeEntry entry(NodeId parent, std::uint16_t child, const struct Instance* instance = nullptr) const;
  Result<std::vector<struct Instance>> instances(NodeId directory, std::uint16_t child, pid_t caller);
  TreeEntry container_entry(const Container& container) const;

  Registry& registry_;
  std::vector<Node> nodes_;
};

}  // namespace nacre::procfs
