// SPDX-License-Identifier: Apache-2.0
#include "procfs/tree.h"

#include <algorithm>

#include "base/parse.h"
#include "procfs/file_table.h"

namespace nacre::procfs {
namespace {

constexpr std::uint16_t kRoot = 0;
constexpr std::uint16_t kContainer = 1;  // a container's directory
constexpr std::uint16_t kAllContainers = UINT16_MAX;

const InstanceRow* instances_of(std::string_view name) {
  for (const auto& row : instance_table())
    if (row.pattern == name) return &row;
  return nullptr;
}

std::optional<ContainerNumber> number_named(std::string_view name) {
  return name.starts_with('.') ? parse_int<ContainerNumber>(name.substr(1)) : std::nullopt;
}

std::string_view last_of(std::string_view path) { return path.substr(path.find_last_of('/') + 1); }

}  // namespace

Tree::Tree(Registry& registry, StateFile* state) : registry_(registry) {
  auto kept = state == nullptr ? std::string() : state->value(kKept);
  if (kept.empty()) kept = "/\n*";
  for (const auto path : split(kept, '\n')) nodes_.emplace_back().path = path;
  nodes_[kRoot].present = nodes_[kContainer].present = true;
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

// Those that only another version has stay in their places.
std::string Tree::paths() const {
  std::string text;
  for (const auto& node : nodes_) text += (text.empty() ? "" : "\n") + node.path;
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
  const auto known = std::ranges::find(nodes_, path, &Node::path);
  const auto created = static_cast<std::uint16_t>(known - nodes_.begin());
  if (known == nodes_.end()) nodes_.emplace_back();
  nodes_[created] = {.path = std::move(path),
                     .name = std::string(name),
                     .row = nullptr,
                     .children = {},
                     .instances = instances_of(name),
                     .of_container = nodes_[parent].of_container,
                     .present = true};
  nodes_[parent].children.push_back(created);
  return created;
}

bool Tree::exists(NodeId id) const {
  if (id == NodeId{0, 0, kAllContainers}) return true;
  if (id.index >= nodes_.size() || !nodes_[id.index].present) return false;
  return nodes_[id.index].of_container == (id.container != 0);
}

bool Tree::is_directory(NodeId id) const {
  return id.index == kAllContainers || nodes_[id.index].row == nullptr;
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
  if (directory.index == kAllContainers) {
    if (const auto number = number_named(name); number && *number != 0)
      return TreeEntry{std::string(name), {*number, 0, kContainer}, true, Lasting::never};
    const auto container = registry_.by_id(name);
    if (!container) return fail(ENOENT);
    return container_entry(*container);
  }
  if (directory == NodeId{} && name == kContainers)
    return TreeEntry{std::string(name), {0, 0, kAllContainers}, true, Lasting::forever};
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
  if (directory.index == kAllContainers) {
    for (const auto& container : registry_.all())
      if (!container->id().empty()) entries.push_back(container_entry(*container));
    return entries;
  }
  if (directory == NodeId{}) entries.push_back({kContainers, {0, 0, kAllContainers}, true, Lasting::forever});
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
