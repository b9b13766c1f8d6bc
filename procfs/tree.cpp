// SPDX-License-Identifier: Apache-2.0
#include "procfs/tree.h"

#include <algorithm>

#include "base/parse.h"
#include "procfs/file_table.h"

namespace nacre::procfs {
namespace {

constexpr std::uint16_t kRoot = 0;
constexpr std::uint16_t kContainer = 1;  // a container's directory
constexpr std::uint16_t kContainers = UINT16_MAX;
constexpr std::string_view kContainersName = "containers";

const InstanceRow* instances_of(std::string_view name) {
  for (const auto& row : instance_table())
    if (row.pattern == name) return &row;
  return nullptr;
}

std::string_view last_of(std::string_view path) { return path.substr(path.find_last_of('/') + 1); }

}  // namespace

Tree::Tree(Registry& registry, StateFile* state) : registry_(registry), nodes_(2) {
  const auto kept = state == nullptr ? std::string() : state->value(kKept);
  if (!kept.empty())
    for (const auto path : split(kept, '\n')) kept_.emplace(path, static_cast<std::uint16_t>(kept_.size()));
  nodes_.resize(std::max(nodes_.size(), kept_.size()));
  nodes_[kRoot].path = "/";
  nodes_[kContainer].path = "*";
  nodes_[kContainer].of_container = true;
  for (const auto& row : file_table()) {
    add(kRoot, row.path, row);
    for (const auto& attached : attach_table()) {
      const auto place = attached.target.substr(1);
      if (row.path != place && !row.path.starts_with(std::string(place) + "/")) continue;
      add(kContainer, std::string(last_of(place)) + std::string(row.path.substr(place.size())), row);
    }
  }
  if (state != nullptr) static_cast<void>(state->put(kKept, paths()));
}

// In the order of their indices; those that only another version has stay in their places.
std::string Tree::paths() const {
  std::vector<std::string_view> by_index(nodes_.size());
  for (const auto& [path, index] : kept_) by_index[index] = path;
  for (std::size_t index = 0; index < nodes_.size(); ++index)
    if (!nodes_[index].path.empty()) by_index[index] = nodes_[index].path;
  std::string text;
  for (const auto path : by_index) text += (text.empty() ? "" : "\n") + std::string(path);
  return text;
}

void Tree::add(std::uint16_t directory, std::string_view path, const FileRow& row) {
  for (const auto name : split(path, '/')) directory = child_named(directory, name);
  nodes_[directory].row = &row;
}

std::uint16_t Tree::child_named(std::uint16_t parent, std::string_view name) {
  for (const auto child : nodes_[parent].children)
    if (nodes_[child].name == name) return child;
  auto path = nodes_[parent].path + "/" + std::string(name);
  const auto kept = kept_.find(path);
  const auto created = kept != kept_.end() ? kept->second : static_cast<std::uint16_t>(nodes_.size());
  if (created == nodes_.size()) nodes_.emplace_back();
  nodes_[created] = {.path = std::move(path),
                     .name = std::string(name),
                     .row = nullptr,
                     .children = {},
                     .instances = instances_of(name),
                     .of_container = nodes_[parent].of_container};
  nodes_[parent].children.push_back(created);
  return created;
}

bool Tree::exists(NodeId id) const {
  if (id == NodeId{0, 0, kContainers}) return true;
  if (id.index >= nodes_.size() || nodes_[id.index].path.empty()) return false;
  return nodes_[id.index].of_container == (id.container != 0);
}

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

TreeEntry Tree::entry(NodeId parent, std::uint16_t child, const Instance* instance) const {
  const auto& node = nodes_[child];
  TreeEntry result;
  result.name = instance != nullptr ? instance->name : node.name;
  result.id = {parent.container, instance != nullptr ? instance->number : parent.instance, child};
  result.directory = node.row == nullptr;
  if (instance != nullptr) result.lasting = parent.container == 0 ? Lasting::never : Lasting::second;
  return result;
}

Result<std::vector<Instance>> Tree::instances(NodeId directory, std::uint16_t child, pid_t caller) {
  return nodes_[child].instances->list(*TRY(container_of(directory, caller)));
}

TreeEntry Tree::container_entry(const Container& container) const {
  return {container.id(), {container.number(), 0, kContainer}, true, Lasting::never};
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
    if (nodes_[child].instances == nullptr) {
      if (nodes_[child].name == name) return entry(directory, child);
      continue;
    }
    for (const auto& instance : TRY(instances(directory, child, caller)))
      if (instance.name == name) return entry(directory, child, &instance);
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
    if (nodes_[child].instances == nullptr) {
      entries.push_back(entry(directory, child));
      continue;
    }
    for (const auto& instance : TRY(instances(directory, child, caller)))
      entries.push_back(entry(directory, child, &instance));
  }
  return entries;
}

Result<Tree::File> Tree::file(NodeId id, pid_t caller) {
  if (!exists(id)) return fail(ESTALE);
  if (is_directory(id)) return fail(EISDIR);
  return File{TRY(container_of(id, caller)), nodes_[id.index].row, id.instance};
}

Result<NodeId> Tree::resolve(NodeId directory, std::string_view path, pid_t caller) {
  for (const auto name : split(path, '/')) directory = TRY(lookup(directory, name, caller)).id;
  return directory;
}

}  // namespace nacre::procfs
