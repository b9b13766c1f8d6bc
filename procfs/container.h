// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "procfs/sample/disk_numbers.h"
#include "procfs/sample/host.h"
#include "procfs/sample/hot_files.h"
#include "procfs/sample/places.h"
#include "procfs/sample/tasks.h"
#include "procfs/sample/vm.h"
#include "procfs/state/state_file.h"
#include "procfs/view/cpu_clock.h"
#include "procfs/view/disk.h"
#include "procfs/view/load.h"
#include "procfs/view/view.h"

namespace nacre::procfs {

// A container's number is the upper half of its node ids; 0 is no container.
using ContainerNumber = std::uint32_t;

class LoadTracker;

// What all containers share.
struct Sources {
  HotFiles& files;
  Host& host;
  const Clock& clock;
  StateFile* state = nullptr;      // where a successor of this daemon finds what was; null: nowhere
  LoadTracker* tracker = nullptr;  // ticks those whose load is read; null: nobody
  // The registry's.
  DiskNumbers* disk_numbers = nullptr;
  const cgroup::Hierarchies* hierarchies = nullptr;
};

// One container: where its numbers come from and what they were when last looked at.
// From any thread.
class Container : public std::enable_shared_from_this<Container> {
 public:
  struct Identity {
    ContainerNumber number = 0;
    std::string id;
    std::string cgroup_path;  // registered; empty for one found by a caller's pid
    Birth birth;
    std::string memberships;     // as in /proc/PID/cgroup, where no path was registered
    std::uint64_t inode = 0;     // of Places::tasks, where nobody registered it
    bool physical_cpus = false;  // its CPUs keep the machine's numbers
  };
  // Goes on with the counters of a container of the same number, where some were kept.
  Container(Sources sources, Identity identity, Places places);
  // procfs::locate().
  static Result<Places> locate(const cgroup::Hierarchies& hierarchies, const Identity& identity,
                               Places known = {});

  ContainerNumber number() const { return identity_.number; }
  const std::string& id() const { return identity_.id; }
  const std::string& cgroup_path() const { return identity_.cgroup_path; }
  const Identity& identity() const { return identity_; }
  // As they were found last.
  std::shared_ptr<const Places> places() const;

  // The prefix of its counters in the state.
  static std::string kept_below(ContainerNumber number);
  // Of all containers that have counters there.
  static std::set<ContainerNumber> numbers_kept(const StateFile& state);

  // Each of these is one coherent instant, at most kLifetime old. One thread looks, others
  // wait for it, but not for ever. When the container cannot be looked at (its cgroup is
  // gone), the last view; without one, the error.
  Result<std::shared_ptr<const CpuView>> cpu();
  Result<std::shared_ptr<const MemoryView>> memory();
  Result<std::shared_ptr<const DiskViews>> disks();
  Result<TaskCounts> tasks();
  static constexpr std::chrono::milliseconds kLifetime{20};
  // A controller that its cgroup gets later is found by the first look this long after the last search.
  static constexpr std::chrono::seconds kSearchAgain{1};

  TimeView time() const { return time_view(identity_.birth, sources_.clock); }
  // Load averages, which are followed from now on, for as long as they are read (FollowedLoad).
  Result<Loads> loads();
  // What the kernel counts of its memory management.
  Result<std::shared_ptr<const VmSample>> vm();
  // The text of /proc/pressure/RESOURCE: cpu, memory, io or irq. Nothing where no cgroup of the container
  // counts it.
  Result<std::optional<std::string>> pressure(const std::string& resource);
  // The file of its cgroup; empty where there is none.
  std::string pressure_file(const std::string& resource) const;
  // The names in the machine's /proc/vmstat.
  Result<std::shared_ptr<const VmstatNames>> vmstat_names() { return sources_.host.vmstat_names(); }
  // The machine's /proc/cpuinfo, of which the container sees a part.
  Result<std::shared_ptr<const std::string>> host_cpuinfo() { return sources_.host.cpuinfo(); }
  // An estimate of how many processes the container ever started: pids are given in order.
  std::uint64_t forks() const { return highest_pid_.load(std::memory_order_relaxed); }

  // It is forgotten: nothing of it is kept for a successor any more, though somebody may go on to read it.
  void retire() { retired_.store(true, std::memory_order_relaxed); }

  // The steps of the load averages that are due; called about every kLoadTick by one thread. False when
  // nobody has read them for long: it need not be called any more.
  bool tick_loads();

 private:
  template <typename Value>
  struct Kept {
    std::optional<Value> value;
    std::chrono::nanoseconds looked_at{};
    bool looking = false;
    Error failure;  // of the last look
    std::condition_variable done;
  };
  template <typename Value, typename Look>
  Result<Value> current(Kept<Value>& kept, Look look);
  // look(Places), with what has come to them since and without what went.
  template <typename Look>
  auto look_at_places(Look look);
  std::shared_ptr<const Places> grown_places();
  std::shared_ptr<const Places> change_places(const std::shared_ptr<const Places>& from, Places to);
  Result<std::shared_ptr<const CpuView>> look_at_cpu();
  Result<std::shared_ptr<const DiskViews>> look_at_disks();
  Result<TaskCounts> look_at_tasks();
  std::optional<Pressure> highest_pressure();
  // What must never go backwards, also not over a daemon's end.
  void keep(const char* what, const std::vector<std::uint64_t>& words) const;
  std::vector<std::uint64_t> kept(const char* what) const;

  const Sources sources_;
  const Identity identity_;
  // Guards where to look, what is kept and the load. A leaf: released while looking.
  mutable std::mutex mutex_;
  std::shared_ptr<const Places> places_;
  std::chrono::nanoseconds searched_at_;
  Kept<std::shared_ptr<const CpuView>> cpu_;
  Kept<std::shared_ptr<const MemoryView>> memory_;
  Kept<std::shared_ptr<const DiskViews>> disks_;
  Kept<TaskCounts> tasks_;
  Kept<std::shared_ptr<const VmSample>> vm_;
  FollowedLoad load_;
  // Only the one thread that looks touches these.
  CpuClock cpu_clock_;
  DiskCounters disk_counters_;
  std::uint64_t highest_oom_kills_ = 0;
  NewestThread newest_thread_;
  std::atomic<std::uint64_t> highest_pid_{0};
  std::atomic<bool> retired_{false};
};

using ContainerRef = std::shared_ptr<Container>;

}  // namespace nacre::procfs
