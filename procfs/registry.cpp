// SPDX-License-Identifier: Apache-2.0
#include "procfs/registry.h"

#include <sys/stat.h>

#include <algorithm>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>

#include "base/control/message.h"
#include "base/parse.h"
#include "base/sys/file.h"
#include "base/sys/process.h"

namespace nacre::procfs {
namespace {

std::chrono::nanoseconds ticks(std::uint64_t count) {
  return std::chrono::milliseconds(10) * static_cast<std::int64_t>(count);
}

Result<> check_cgroup_path(const std::string& path) {
  const auto parts = split(std::string_view(path).substr(path.empty() ? 0 : 1), '/');
  const bool odd =
      std::ranges::any_of(parts, [](auto part) { return part.empty() || part == "." || part == ".."; });
  if (path.empty() || path.front() != '/' || path.size() > 4096 || odd)
    return bad_input("bad cgroup path \"" + path.substr(0, 100) + "\"");
  return {};
}

// systemd in a container puts itself into a cgroup below the container's.
void leave_init_scope(std::string& path) {
  constexpr std::string_view kInit = "/init.scope";
  if (path.ends_with(kInit)) path.resize(std::max<std::size_t>(path.size() - kInit.size(), 1));
}

bool lives(pid_t pid, std::uint64_t start) {
  const auto stat = sys::process_stat(pid);
  return stat && stat->start_ticks == start && stat->state != 'Z' && stat->state != 'X';
}

// The start of the oldest process in a cgroup, as that of the container's init.
std::uint64_t oldest_start(const std::string& directory, pid_t otherwise) {
  constexpr std::size_t kEnough = 1024;
  std::uint64_t oldest = UINT64_MAX;
  std::size_t seen = 0;
  const auto consider = [&](pid_t pid) {
    if (const auto stat = sys::process_stat(pid)) oldest = std::min(oldest, stat->start_ticks);
  };
  if (const auto text = sys::read_file(directory + "/cgroup.procs"))
    for (const auto line : split(*text, '\n'))
      if (const auto pid = parse_int<pid_t>(line); pid && seen++ < kEnough) consider(*pid);
  if (oldest == UINT64_MAX) consider(otherwise);
  return oldest == UINT64_MAX ? 0 : oldest;
}

// As parse_memberships() reads it.
std::string text_of(const std::vector<cgroup::Membership>& memberships) {
  std::string text;
  for (const auto& membership : memberships) {
    std::string controllers;
    for (const auto& name : membership.controllers) controllers += (controllers.empty() ? "" : ",") + name;
    text += (controllers.empty() ? "0:" : "1:") + controllers + ":" + membership.path + "\n";
  }
  return text;
}

// By which unregistered containers are told apart.
std::string visitor_key(const std::vector<cgroup::Membership>& memberships) {
  std::string key;
  for (const auto& membership : memberships) key += membership.path + "\n";
  return key;
}

// Of a cgroup's directory; 0 when it is not there.
std::uint64_t inode_of(const std::string& directory) {
  struct stat found {};
  return ::stat(directory.c_str(), &found) == 0 ? found.st_ino : 0;
}

// The cgroup of one that nobody registered.
bool is_there(const Container& container) {
  return inode_of(container.places()->tasks) == container.identity().inode;
}

// For so many containers there is room from the start, at 16 bytes each: a table that grows holds up the
// registration that it grows for by a millisecond or two.
constexpr std::size_t kRoom = 16384;

// In the state.
constexpr const char* kContainers = "containers/";
constexpr const char* kLastNumber = "last-container";

}  // namespace

Registry::Registry(Sources sources, const cgroup::Hierarchies& hierarchies, std::size_t visitors)
    : disk_numbers_(sources.state), sources_(sources), visitors_(visitors) {
  sources_.disk_numbers = &disk_numbers_;
  sources_.hierarchies = &hierarchies;
  by_number_.reserve(kRoom);
  by_cgroup_.reserve(kRoom);
}

Result<std::vector<cgroup::Membership>> Registry::memberships_of(pid_t pid) const {
  return cgroup::parse_memberships(
      TRY(sys::read_file(sources_.host.root() + "/proc/" + std::to_string(pid) + "/cgroup")));
}

Result<Container::Identity> Registry::identify(const control::Registration& registration,
                                               ContainerNumber number, std::uint64_t init_start) const {
  Container::Identity identity;
  identity.number = number;
  identity.id = registration.id;
  identity.physical_cpus = registration.physical_cpus;
  if (registration.cgroup_path.empty()) {
    auto memberships = TRY(memberships_of(registration.init));
    for (auto& membership : memberships) leave_init_scope(membership.path);
    identity.memberships = text_of(memberships);
    identity.cgroup_path = TRY(cgroup::path_for(memberships, "memory"));
  } else {
    TRY(check_cgroup_path(registration.cgroup_path));
    identity.cgroup_path = registration.cgroup_path;
  }
  const std::chrono::nanoseconds offset(registration.boottime_offset);
  if (registration.own_time_namespace) {
    identity.birth = {-offset, offset};
  } else {
    identity.birth = {ticks(init_start), {}};
  }
  return identity;
}

Result<ContainerRef> Registry::add(const control::Registration& registration, ContainerNumber reserved) {
  if (!control::valid_id(registration.id))
    return bad_input("bad container id \"" + registration.id.substr(0, 100) +
                     "\": only letters, digits and _.+- are allowed, and no leading dot");
  const std::string name = "container " + registration.id;
  if (registration.init <= 0) return fail(ESRCH, name + ": no init process given");
  const auto stat = TRY(during(name + ": init process " + std::to_string(registration.init),
                               sys::process_stat(registration.init)));
  auto identity = TRY(during(name, identify(registration, reserved, stat.start_ticks)));
  auto places = TRY(during(name, Container::locate(*sources_.hierarchies, identity)));
  auto container = std::make_shared<Container>(sources_, std::move(identity), std::move(places));

  const std::unique_lock lock(mutex_);
  if (const auto known = by_id_.find(registration.id); known != by_id_.end()) {
    if (lives(known->second.init, known->second.init_start))
      return fail(EEXIST, name + " is already registered");
    forget(registration.id);
  }
  const Member member{container, registration.init, stat.start_ticks};
  TRY(during(name, remember(*container, member)));
  by_id_[registration.id] = member;
  by_number_[container->number()] = container;
  by_cgroup_.emplace(container->cgroup_path(), container);
  return container;
}

ContainerRef Registry::same(const control::Registration& registration) const {
  const std::shared_lock lock(mutex_);
  const auto known = by_id_.find(registration.id);
  if (known == by_id_.end()) return nullptr;
  const auto& [container, init, init_start] = known->second;
  const auto& identity = container->identity();
  // Without a path the cgroup is the init's.
  const bool cgroup = registration.cgroup_path.empty() ? !identity.memberships.empty()
                                                       : registration.cgroup_path == identity.cgroup_path;
  const bool one =
      registration.init == init && cgroup && registration.physical_cpus == identity.physical_cpus;
  return one && lives(init, init_start) ? container : nullptr;
}

Result<> Registry::remember(const Container& container, const Member& member) {
  if (sources_.state == nullptr) return {};
  const auto& identity = container.identity();
  const nlohmann::json json{{"id", identity.id},
                            {"init", member.init},
                            {"init_start", member.init_start},
                            {"cgroup", identity.cgroup_path},
                            {"memberships", identity.memberships},
                            {"inode", identity.inode},
                            {"birth", identity.birth.boottime.count()},
                            {"offset", identity.birth.offset.count()},
                            {"physical_cpus", identity.physical_cpus}};
  const auto number = std::to_string(identity.number);
  TRY(sources_.state->put(kLastNumber, std::to_string(last_number_)));
  return sources_.state->put(kContainers + number,
                             json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

void Registry::erase(ContainerNumber number) {
  if (sources_.state == nullptr) return;
  sources_.state->erase(kContainers + std::to_string(number));
  for (const auto& [key, value] : sources_.state->entries_below(Container::kept_below(number)))
    sources_.state->erase(key);
}

Result<> Registry::restore(ContainerNumber number, const std::string& text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return fail(EINVAL);
  Container::Identity identity{.number = number,
                               .id = json.value("id", std::string()),
                               .cgroup_path = json.value("cgroup", std::string()),
                               .birth = {std::chrono::nanoseconds(json.value("birth", std::int64_t{0})),
                                         std::chrono::nanoseconds(json.value("offset", std::int64_t{0}))},
                               .memberships = json.value("memberships", std::string()),
                               .inode = json.value("inode", std::uint64_t{0}),
                               .physical_cpus = json.value("physical_cpus", false)};
  const auto memberships = TRY(cgroup::parse_memberships(identity.memberships));
  auto places = TRY(Container::locate(*sources_.hierarchies, identity));
  const Member member{std::make_shared<Container>(sources_, identity, std::move(places)),
                      json.value("init", pid_t{0}), json.value("init_start", std::uint64_t{0})};
  const std::unique_lock lock(mutex_);
  if (identity.id.empty()) {
    auto key = visitor_key(memberships);
    if (visitors_.find(key)) return fail(EEXIST);
    forget(visitors_.add(std::move(key), member.container));
    return {};
  }
  if (!lives(member.init, member.init_start)) return fail(ESRCH);
  by_id_[identity.id] = member;
  by_number_[number] = member.container;
  by_cgroup_.emplace(identity.cgroup_path, member.container);
  return {};
}

void Registry::restore() {
  if (sources_.state == nullptr) return;
  last_number_ = parse_int<ContainerNumber>(sources_.state->value(kLastNumber)).value_or(0);
  for (const auto& [key, text] : sources_.state->entries_below(kContainers)) {
    const auto number =
        parse_int<ContainerNumber>(std::string_view(key).substr(std::string_view(kContainers).size()));
    // One that ended meanwhile is forgotten, as it would have been.
    if (number && !restore(*number, text)) erase(*number);
  }
  // A predecessor that was killed while it forgot one.
  std::set<ContainerNumber> known;
  for (const auto& container : all()) known.insert(container->number());
  for (const auto number : Container::numbers_kept(*sources_.state))
    if (!known.contains(number)) erase(number);
}

void Registry::forget(const std::string& id) {
  const auto found = by_id_.find(id);
  const auto container = found->second.container;
  by_number_.erase(container->number());
  const auto [first, last] = by_cgroup_.equal_range(container->cgroup_path());
  const auto own = std::find_if(first, last, [&](const auto& item) { return item.second == container; });
  if (own != last) by_cgroup_.erase(own);
  by_id_.erase(found);
  container->retire();
  erase(container->number());
  const auto places = container->places();
  for (const auto& directory : places->own_directories()) sources_.files.close_below(directory);
}

void Registry::remove(std::string_view id) {
  const std::unique_lock lock(mutex_);
  if (by_id_.contains(id)) forget(std::string(id));
}

void Registry::remove(const Container& container) {
  const std::unique_lock lock(mutex_);
  const auto found = by_id_.find(container.id());
  if (found != by_id_.end() && found->second.container.get() == &container) forget(container.id());
}

ContainerRef Registry::by_id(std::string_view id) const {
  const std::shared_lock lock(mutex_);
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second.container;
}

ContainerRef Registry::by_number(ContainerNumber number) const {
  const std::shared_lock lock(mutex_);
  const auto found = by_number_.find(number);
  return found == by_number_.end() ? nullptr : found->second;
}

std::vector<ContainerRef> Registry::all() const {
  const std::shared_lock lock(mutex_);
  std::vector<ContainerRef> containers;
  for (const auto& [id, member] : by_id_) containers.push_back(member.container);
  for (const auto& [key, visitor] : visitors_.all()) containers.push_back(visitor);
  return containers;
}

std::size_t Registry::size() const {
  const std::shared_lock lock(mutex_);
  return by_id_.size();
}

bool Registry::alive(const Container& container) const {
  const std::shared_lock lock(mutex_);
  const auto found = by_id_.find(container.id());
  return found != by_id_.end() && found->second.container.get() == &container &&
         lives(found->second.init, found->second.init_start);
}

pid_t Registry::init_of(const Container& container) const {
  const std::shared_lock lock(mutex_);
  const auto found = by_id_.find(container.id());
  return found == by_id_.end() ? 0 : found->second.init;
}

ContainerRef Registry::registered_above(const std::vector<cgroup::Membership>& memberships) const {
  const std::shared_lock lock(mutex_);
  ContainerRef nearest;
  for (const auto& membership : memberships) {
    for (std::string_view path = membership.path; path.size() > 1;
         path = path.substr(0, path.find_last_of('/'))) {
      const auto found = by_cgroup_.find(std::string(path));
      if (found == by_cgroup_.end()) continue;
      if (!nearest || path.size() > nearest->cgroup_path().size()) nearest = found->second;
      break;
    }
  }
  return nearest;
}

Result<ContainerRef> Registry::unregistered(const std::vector<cgroup::Membership>& memberships,
                                            pid_t caller) {
  auto key = visitor_key(memberships);
  if (auto known = visitor(key)) return known;
  sweep_visitors();
  Container::Identity identity;
  identity.number = reserve();
  identity.memberships = text_of(memberships);
  auto places = TRY(locate(*sources_.hierarchies, memberships));
  identity.inode = inode_of(places.tasks);
  identity.birth = {ticks(oldest_start(places.tasks, caller)), {}};
  auto container = std::make_shared<Container>(sources_, std::move(identity), std::move(places));
  const std::unique_lock lock(mutex_);
  // Another of its callers may have been here meanwhile.
  if (auto known = visitors_.find(key)) return known;
  static_cast<void>(remember(*container, {}));
  forget(visitors_.add(std::move(key), container));
  return container;
}

ContainerRef Registry::visitor(const std::string& key) {
  ContainerRef known;
  {
    const std::unique_lock lock(mutex_);
    known = visitors_.find(key);
  }
  if (!known) return nullptr;
  if (is_there(*known)) return known;
  // Another cgroup of the same name is another container, as after a restart of it.
  const std::unique_lock lock(mutex_);
  forget_visitor(key, known);
  return nullptr;
}

void Registry::sweep_visitors() {
  std::vector<Visitors::Entry> gone;
  {
    const std::shared_lock lock(mutex_);
    if (!visitors_.needs_sweep()) return;
    gone.assign(visitors_.all().begin(), visitors_.all().end());
  }
  std::erase_if(gone, [](const auto& entry) { return is_there(*entry.second); });
  const std::unique_lock lock(mutex_);
  for (const auto& [key, container] : gone) forget_visitor(key, container);
  visitors_.swept();
}

void Registry::forget_visitor(std::string_view key, const ContainerRef& container) {
  if (visitors_.find(key) != container) return;
  visitors_.remove(key);
  forget(container);
}

void Registry::forget(const ContainerRef& visitor) {
  if (!visitor) return;
  visitor->retire();
  erase(visitor->number());
}

Result<ContainerRef> Registry::of_caller(pid_t pid) {
  if (pid <= 0) return fail(ESRCH);  // a caller outside our pid namespace
  // Its number is its own meanwhile: the kernel lets nobody end who waits for an answer of FUSE, and takes
  // none for a trapped system call of somebody who has.
  const auto memberships = TRY(memberships_of(pid));
  if (auto container = registered_above(memberships)) return container;
  return unregistered(memberships, pid);
}

}  // namespace nacre::procfs
