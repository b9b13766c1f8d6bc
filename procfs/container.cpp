// SPDX-License-Identifier: Apache-2.0
#include "procfs/container.h"

#include <algorithm>
#include <cstring>

#include "base/parse.h"
#include "procfs/load_tracker.h"
#include "procfs/view/cpu_count.h"

namespace nacre::procfs {
namespace {

using namespace std::chrono_literals;

// How long a reader waits for another's look before it takes an older view.
constexpr auto kPatience = 200ms;

constexpr const char* kCounters = "counters/";
constexpr const char* kCpu = "cpu";
constexpr const char* kDisk = "disk";
constexpr const char* kOomKills = "oom";
constexpr const char* kLoads = "load";
constexpr const char* kPid = "pid";

}  // namespace

Container::Container(Sources sources, Identity identity, Places places)
    : sources_(sources),
      identity_(std::move(identity)),
      places_(std::make_shared<const Places>(std::move(places))),
      searched_at_(sources.clock.boottime()) {
  cpu_clock_.restore(kept(kCpu));
  disk_counters_.restore(kept(kDisk));
  if (const auto words = kept(kOomKills); !words.empty()) highest_oom_kills_ = words[0];
  if (const auto words = kept(kPid); !words.empty()) highest_pid_ = words[0];
  load_.restore(kept(kLoads));
}

Result<Places> Container::locate(const cgroup::Hierarchies& hierarchies, const Identity& identity,
                                 Places known) {
  if (identity.memberships.empty())
    return procfs::locate(hierarchies, identity.cgroup_path, std::move(known));
  return procfs::locate(hierarchies, TRY(cgroup::parse_memberships(identity.memberships)), std::move(known));
}

std::shared_ptr<const Places> Container::places() const {
  const std::lock_guard lock(mutex_);
  return places_;
}

template <typename Look>
auto Container::look_at_places(Look look) {
  const auto places = grown_places();
  auto found = look(*places);
  if (found || (found.error().code != ENOENT && found.error().code != ENODEV)) return found;
  auto rest = places->without_lost_controllers();
  if (rest == *places) return found;
  return look(*change_places(places, std::move(rest)));
}

std::shared_ptr<const Places> Container::grown_places() {
  std::unique_lock lock(mutex_);
  const auto known = places_;
  const auto now = sources_.clock.boottime();
  if (!known->may_grow() || now - searched_at_ < kSearchAgain) return known;
  searched_at_ = now;
  lock.unlock();
  auto found = locate(*sources_.hierarchies, identity_, *known);
  return found && *found != *known ? change_places(known, std::move(*found)) : known;
}

// Another look may have changed them meanwhile: that is then good enough for this one.
std::shared_ptr<const Places> Container::change_places(const std::shared_ptr<const Places>& from, Places to) {
  auto changed = std::make_shared<const Places>(std::move(to));
  const std::lock_guard lock(mutex_);
  if (places_ == from) places_ = std::move(changed);
  return places_;
}

std::string Container::kept_below(ContainerNumber number) { return kCounters + std::to_string(number) + "/"; }

std::set<ContainerNumber> Container::numbers_kept(const StateFile& state) {
  std::set<ContainerNumber> numbers;
  for (const auto& [key, value] : state.entries_below(kCounters))
    if (const auto words = split(key, '/'); words.size() == 3)
      if (const auto number = parse_int<ContainerNumber>(words[1])) numbers.insert(*number);
  return numbers;
}

void Container::keep(const char* what, const std::vector<std::uint64_t>& words) const {
  if (sources_.state == nullptr || retired_.load(std::memory_order_relaxed)) return;
  const std::string_view bytes(reinterpret_cast<const char*>(words.data()), words.size() * sizeof(words[0]));
  static_cast<void>(sources_.state->put(kept_below(number()) + what, bytes));
}

std::vector<std::uint64_t> Container::kept(const char* what) const {
  if (sources_.state == nullptr) return {};
  const auto bytes = sources_.state->value(kept_below(number()) + what);
  std::vector<std::uint64_t> words(bytes.size() / sizeof(std::uint64_t));
  if (!words.empty()) std::memcpy(words.data(), bytes.data(), words.size() * sizeof(words[0]));
  return words;
}

template <typename Value, typename Look>
Result<Value> Container::current(Kept<Value>& kept, Look look) {
  std::unique_lock lock(mutex_);
  const auto fresh = [&] { return kept.value && sources_.clock.boottime() - kept.looked_at < kLifetime; };
  if (fresh()) return *kept.value;
  if (kept.looking) {
    const bool finished = kept.done.wait_for(lock, kPatience, [&] { return !kept.looking; });
    if (kept.value) return *kept.value;
    if (!finished) return fail(ETIMEDOUT, "container " + id() + " cannot be looked at");
    return std::unexpected(kept.failure);
  }
  kept.looking = true;
  lock.unlock();
  auto found = look();
  lock.lock();
  kept.looking = false;
  if (found) {
    kept.value = std::move(*found);
    kept.looked_at = sources_.clock.boottime();
  } else {
    kept.failure = std::move(found.error());
  }
  kept.done.notify_all();
  if (kept.value) return *kept.value;
  return std::unexpected(kept.failure);
}

Result<std::shared_ptr<const CpuView>> Container::cpu() {
  return current(cpu_, [this] { return look_at_cpu(); });
}

Result<std::shared_ptr<const MemoryView>> Container::memory() {
  return current(memory_, [this]() -> Result<std::shared_ptr<const MemoryView>> {
    const auto host = TRY(sources_.host.memory());
    const auto sample = TRY(
        look_at_places([&](const Places& places) { return sample_memory(sources_.files, places, host); }));
    return std::make_shared<const MemoryView>(memory_view(sample, host));
  });
}

Result<std::shared_ptr<const DiskViews>> Container::disks() {
  return current(disks_, [this] { return look_at_disks(); });
}

Result<TaskCounts> Container::tasks() {
  return current(tasks_, [this] { return look_at_tasks(); });
}

Result<std::shared_ptr<const VmSample>> Container::vm() {
  return current(vm_, [this]() -> Result<std::shared_ptr<const VmSample>> {
    auto sample =
        TRY(look_at_places([&](const Places& places) { return sample_vm(sources_.files, places); }));
    // A controller that went has taken its counters with it.
    if (vm_.value)
      for (const auto& [name, last] : (*vm_.value)->events) {
        auto& count = sample.events[name];
        count = std::max(count, last);
      }
    // A cgroup below that is gone may have taken its part with it.
    auto& kills = sample.events["oom_kill"];
    kills = std::max(highest_oom_kills_, kills);
    if (kills != highest_oom_kills_) keep(kOomKills, {kills});
    highest_oom_kills_ = kills;
    return std::make_shared<const VmSample>(std::move(sample));
  });
}

Result<std::optional<std::string>> Container::pressure(const std::string& resource) {
  const auto path = pressure_file(resource);
  if (path.empty()) return std::nullopt;
  auto text = sources_.files.read(path);
  // Not of this kernel, or switched off for this cgroup (cgroup.pressure).
  if (!text && (text.error().code == ENOENT || text.error().code == EOPNOTSUPP)) return std::nullopt;
  return text;
}

std::string Container::pressure_file(const std::string& resource) const {
  const auto known = places();
  return known->pressure.empty() ? std::string() : known->pressure + "/" + resource + ".pressure";
}

Result<std::shared_ptr<const CpuView>> Container::look_at_cpu() {
  const auto online = TRY(sources_.host.online_cpus());
  const auto sample =
      TRY(look_at_places([&](const Places& places) { return sample_cpu(sources_.files, places); }));

  auto view = std::make_shared<CpuView>();
  view->time = time();
  view->cpus = visible_cpus(sample, online);
  view->numbers = identity_.physical_cpus ? view->cpus : renumbered(view->cpus);
  const auto uptime = std::chrono::duration_cast<std::chrono::microseconds>(view->time.uptime).count();
  cpu_clock_.advance(static_cast<std::uint64_t>(uptime), view->numbers, sample.usage);
  view->cpu_times = cpu_clock_.cpus();
  view->cpu_total = cpu_clock_.total();
  // Before anybody sees them.
  keep(kCpu, cpu_clock_.state());
  return view;
}

Result<std::shared_ptr<const DiskViews>> Container::look_at_disks() {
  const auto sample =
      TRY(look_at_places([&](const Places& places) { return sample_io(sources_.files, places); }));
  auto disks = std::make_shared<DiskViews>();
  for (const auto& io : disk_counters_.advance(sample))
    if (auto disk = sources_.host.disk(io.major, io.minor))
      disks->push_back({.name = std::move(disk->name),
                        .sectors = disk->sectors,
                        .number = sources_.disk_numbers->of(io.major, io.minor),
                        .io = io});
  if (!disks->empty()) keep(kDisk, disk_counters_.state());
  return disks;
}

Result<TaskCounts> Container::look_at_tasks() {
  const auto counts =
      TRY(sample_tasks(sources_.files, *places(), sources_.host.root() + "/proc", newest_thread_));
  newest_thread_ = counts.newest;
  const auto newest = static_cast<std::uint64_t>(counts.newest.innermost);
  if (newest > highest_pid_.load(std::memory_order_relaxed)) {
    keep(kPid, {newest});
    highest_pid_.store(newest, std::memory_order_relaxed);
  }
  return counts;
}

Result<Loads> Container::loads() {
  {
    const std::lock_guard lock(mutex_);
    if (const auto loads = load_.read(sources_.clock.boottime())) return *loads;
  }
  const auto counts = TRY(tasks());
  const auto active = counts.running + counts.blocked;
  const auto estimate = estimated_loads(active, highest_pressure(), time().uptime);
  Loads loads;
  {
    const std::lock_guard lock(mutex_);
    if (const auto started = load_.read(sources_.clock.boottime())) return *started;
    loads = load_.start(sources_.clock.boottime(), active, estimate);
  }
  if (sources_.tracker != nullptr) sources_.tracker->follow(weak_from_this());
  return loads;
}

// Of CPU and IO, which is what threads wait for that count as active.
std::optional<Pressure> Container::highest_pressure() {
  std::optional<Pressure> highest;
  for (const char* resource : {"cpu", "io"}) {
    const auto text = pressure(resource);
    const auto found = text && *text ? parse_pressure(**text) : std::nullopt;
    if (!found) continue;
    const auto known = highest.value_or(Pressure{});
    highest = {std::max(known.last10, found->last10), std::max(known.last60, found->last60),
               std::max(known.last300, found->last300)};
  }
  return highest;
}

bool Container::tick_loads() {
  const auto counts = tasks();
  // A cgroup that is gone has no threads.
  const auto active = counts ? counts->running + counts->blocked : 0;
  std::vector<std::uint64_t> state;
  bool followed;
  {
    const std::lock_guard lock(mutex_);
    followed = load_.tick(sources_.clock.boottime(), active);
    state = load_.state();
  }
  keep(kLoads, state);
  return followed;
}

}  // namespace nacre::procfs
