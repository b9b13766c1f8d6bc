// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/control/protocol.h"
#include "procfs/container.h"
#include "procfs/visitors.h"

namespace nacre::procfs {

// A registered container and what tells that it is still alive.
struct Member {
  ContainerRef container;
  pid_t init = 0;
  std::uint64_t init_start = 0;  // clock ticks; tells a reused pid from the init
};

// All containers the daemon knows: by id, by number, and by the cgroup of a caller.
// From any thread.
class Registry {
 public:
  // Remembers so many containers that nobody registered.
  Registry(Sources sources, const cgroup::Hierarchies& hierarchies, std::size_t visitors = 1024);

  // Those that the last daemon knew and that still live; call first, where there is a state.
  void restore();

  // A number that no container has but one that is added with it.
  ContainerNumber reserve() { return ++last_number_; }
  // Takes a container in. EEXIST when the id is taken and its init lives; an id whose init
  // has died is taken over. EINVAL, ESRCH, ENOENT for a bad id, init or cgroup.
  Result<ContainerRef> add(const control::Registration& registration, ContainerNumber reserved);
  // With the next number.
  Result<ContainerRef> add(const control::Registration& registration) { return add(registration, reserve()); }
  // The one that a registration of this id, init and cgroup has made before, if it still lives.
  ContainerRef same(const control::Registration& registration) const;
  void remove(std::string_view id);
  // Removes it only if it is still the same container.
  void remove(const Container& container);

  ContainerRef by_id(std::string_view id) const;
  ContainerRef by_number(ContainerNumber number) const;
  // Registered or met by their callers: those whose load is followed.
  std::vector<ContainerRef> all() const;
  std::size_t size() const;  // registered ones
  // Does the container's first process still live?
  bool alive(const Container& container) const;
  pid_t init_of(const Container& container) const;

  // The container of a process: the registered one whose cgroup is nearest above the
  // process's own, else one made of that cgroup. For callers of the shared subtree.
  Result<ContainerRef> of_caller(pid_t pid);

 private:
  Result<Container::Identity> identify(const control::Registration& registration, ContainerNumber number,
                                       std::uint64_t init_start) const;
  Result<std::vector<cgroup::Membership>> memberships_of(pid_t pid) const;
  ContainerRef registered_above(const std::vector<cgroup::Membership>& memberships) const;
  Result<ContainerRef> unregistered(const std::vector<cgroup::Membership>& memberships, pid_t caller);
  void forget(const std::string& id);            // with mutex_ held
  ContainerRef visitor(const std::string& key);  // null without one
  void sweep_visitors();
  // With mutex_ held.
  void forget_visitor(std::string_view key, const ContainerRef& container);
  void forget(const ContainerRef& visitor);  // no longer among visitors_; or null
  // In the state, for restore().
  Result<> remember(const Container& container, const Member& member);
  void erase(ContainerNumber number);
  Result<> restore(ContainerNumber number, const std::string& text);

  DiskNumbers disk_numbers_;
  Sources sources_;
  mutable std::shared_mutex mutex_;  // taken before Container's and HotFiles'; never held while looking
  std::map<std::string, Member, std::less<>> by_id_;
  std::unordered_map<ContainerNumber, ContainerRef> by_number_;
  std::unordered_multimap<std::string, ContainerRef> by_cgroup_;  // several may share one
  Visitors visitors_;                                             // by all their cgroups
  std::atomic<ContainerNumber> last_number_{0};
};

}  // namespace nacre::procfs
