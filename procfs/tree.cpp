// SPDX-License-Identifier: Apache-2.0
#include "procfs/tree.h"

#include <algorithm>

#include "base/parse.h"
#include "procfs/file_table.h"

namespace nacre::procfs {
namespace {

// "containers" in the root is no part of a container's tree.
constexpr std::uint16_t kContainers = UINT16_MAX;
constexpr std::string_view kContainersName = "containers";
constexpr std::string_view kPerCpu = "cpu#";

std::optional<std::uint16_t> cpu_number(std::string_view name) {
  if (!name.starts_with("cpu") || (name.size() > 4 && name[3] == '0')) return std::nullopt;
  return parse_int<std::uint16_t>(name.substr(3));
}

}  // namespace

Tree::Tree(Registry& registry) : registry_(registry), nodes_(1) {
  for (const auto& row : file_table()) {
    std::uint16_t at = 0;
    for (const auto name : split(row.path, '/')) at = child_named(at, name);
    nodes_[at].row = &row;
  }
}

std::uint16_t Tree::child_named(std::uint16_t parent, std::string_view name) {
  for (const auto child : nodes_[parent].children)
    if (nodes_[child].name == name) return child;
  const auto created = static_cast<std::uint16_t>(nodes_.size());
  nodes_.push_back({.name = std::string(name), .row = nullptr, .children = {}, .per_cpu = name == kPerCpu});
  nodes_[parent].children.push_back(created);
  return created;
}

bool Tree::exists(NodeId id) const { return id.index < nodes_.size() || id == NodeId{0, 0, kContainers}; }

bool Tree::is_directory(NodeId id) const {
  return id.index == kContainers || nodes_[id.index].row == nullptr;
}

bool Tree::is_writable(NodeId id) const {
  return !is_directory(id) && nodes_[id.index].row->pressure != nullptr;
}

bool Tree::is_long(NodeId id) const { return !is_directory(id) && nodes_[id.index].row->is_long; }

Result<ContainerRef> Tree::container_of(NodeId id, pid_t caller) {
  if (id.container == 0) return registry_.of_caller(caller);
  auto container = registry_.by_number(id.container);
  if (!container) return fail(ESTALE);
  return container;
}

TreeEntry Tree::entry(NodeId parent, std::uint16_t child, std::size_t cpu) const {
  const auto& node = nodes_[child];
  TreeEntry result;
  result.name = node.per_cpu ? "cpu" + std::to_string(cpu) : node.name;
  result.id = {parent.container, node.per_cpu ? static_cast<std::uint16_t>(cpu) : parent.cpu, child};
  result.directory = node.row == nullptr;
  if (node.per_cpu) result.lasting = parent.container == 0 ? Lasting::never : Lasting::second;
  return result;
}

TreeEntry Tree::container_entry(const Container& container) const {
  return {container.id(), {container.number(), 0, 0}, true, Lasting::never};
}

Result<TreeEntry> Tree::lookup(NodeId directory, std::string_view name, pid_t caller) {
  if (!exists(directory)) return fail(ESTALE);
  if (directory.index == kContainers) {
    const auto container = registry_.by_id(name);
    if (!container) return fail(ENOENT);
    return container_entry(*container);
  }
  if (directory == NodeId{} && name == kContainersName)
    return TreeEntry{std::string(name), {0, 0, kContainers}, true, Lasting::forever};
  for (const auto child : nodes_[directory.index].children) {
    if (!nodes_[child].per_cpu) {
      if (nodes_[child].name == name) return entry(directory, child, 0);
    } else if (const auto cpu = cpu_number(name)) {
      const auto container = TRY(container_of(directory, caller));
      if (std::ranges::binary_search(TRY(container->cpu())->numbers, *cpu))
        return entry(directory, child, *cpu);
    }
  }
  return fail(ENOENT);
}

Result<std::vector<TreeEntry>> Tree::list(NodeId directory, pid_t caller) {
  if (!exists(directory)) return fail(ESTALE);
  if (!is_directory(directory)) return fail(ENOTDIR);
  std::vector<TreeEntry> entries;
  if (directory.index == kContainers) {
    for (const auto& container : registry_.all())
      if (!container->id().empty()) entries.push_back(container_entry(*container));
    return entries;
  }
  if (directory == NodeId{})
    entries.push_back({std::string(kContainersName), {0, 0, kContainers}, true, Lasting::forever});
  for (const auto child : nodes_[directory.index].children) {
    if (!nodes_[child].per_cpu) {
      entries.push_back(entry(directory, child, 0));
      continue;
    }
    const auto container = TRY(container_of(directory, caller));
    for (const auto cpu : TRY(container->cpu())->numbers) entries.push_back(entry(directory, child, cpu));
  }
  return entries;
}

Result<Tree::File> Tree::file(NodeId id, pid_t caller) {
  if (!exists(id)) return fail(ESTALE);
  if (is_directory(id)) return fail(EISDIR);
  return File{TRY(container_of(id, caller)), nodes_[id.index].row, id.cpu};
}

Result<NodeId> Tree::resolve(NodeId directory, std::string_view path, pid_t caller) {
  for (const auto name : split(path, '/')) directory = TRY(lookup(directory, name, caller)).id;
  return directory;
}

}  // namespace nacre::procfs
