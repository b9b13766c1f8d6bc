// SPDX-License-Identifier: Apache-2.0
#include "tools/nacre/container/spec.h"

#include <algorithm>
#include <cstdint>
#include <ctime>

#include "base/parse.h"
#include "base/sys/file.h"
#include "runtime/annotations.h"
#include "runtime/capabilities.h"
#include "runtime/seccomp/default_profile.h"
#include "runtime/spec/defaults.h"

namespace nacre::tool {
namespace {

using namespace runtime;

constexpr std::uint64_t kPeriod = 100'000;  // microseconds, the kernel's own default

// Above the file system daemon's, so that out of memory it is never the daemon that goes.
constexpr int kPayloadOomScore = 200;

constexpr const char* kDefaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// Without the file, or with its header alone, the machine has no swap to limit (and its kernel
// need not be able to count it).
bool machine_swaps() { return split(trim(sys::read_file("/proc/swaps").value_or("")), '\n').size() > 1; }

std::int64_t whole_seconds(clockid_t id) {
  timespec now{};
  ::clock_gettime(id, &now);
  return now.tv_sec;
}

std::string hostname_of(const Record& record, const RunOptions& options) {
  return options.hostname.empty() ? record.id : options.hostname;
}

spec::Mount bind_mount(std::string source, std::string destination, bool read_only) {
  return {std::move(destination),
          "bind",
          std::move(source),
          {"rbind", "rprivate", "rnosuid", "rnodev", read_only ? "rro" : "rw"}};
}

}  // namespace

spec::Process process_for(const Record& record, const ResolvedUser& user, bool terminal) {
  spec::Process process;
  process.terminal = terminal;
  process.user = user.user;
  process.args = record.command;
  process.cwd = record.workdir;
  // The runtime takes the last of each name.
  process.env = {kDefaultPath, "HOME=" + user.home, "container=nacre"};
  if (terminal) process.env.emplace_back("TERM=xterm");
  process.env.insert(process.env.end(), record.environment.begin(), record.environment.end());
  const auto& names = capabilities::default_capabilities();
  spec::Capabilities sets;
  sets.bounding = names;
  // Another user starts with none of them and may gain them by a set-user-ID program.
  if (user.user.uid == 0) sets.effective = sets.permitted = names;
  process.capabilities = std::move(sets);
  process.oom_score_adj = kPayloadOomScore;
  return process;
}

spec::Resources outer_resources(const RunOptions& options) {
  spec::Resources resources;
  if (options.memory) {
    const auto memory = static_cast<std::int64_t>(*options.memory);
    resources.memory.limit = memory;
    // As container engines do: as much swap again as memory.
    if (machine_swaps()) resources.memory.swap = options.memory_and_swap.value_or(memory * 2);
  }
  if (options.cpus) {
    resources.cpu.period = kPeriod;
    resources.cpu.quota = static_cast<std::int64_t>(*options.cpus * kPeriod / 1'000'000'000);
  }
  resources.cpu.cpus = options.cpuset;
  return resources;
}

spec::Spec spec_for(const Record& record, const RunOptions& options, const ResolvedUser& user,
                    const Clock& clock) {
  auto config = spec::default_spec();
  config.process = process_for(record, user, options.terminal);
  config.root_readonly = options.read_only;
  config.hostname = hostname_of(record, options);
  if (std::ranges::none_of(config.process->env,
                           [](const std::string& e) { return e.starts_with("HOSTNAME="); }))
    config.process->env.push_back("HOSTNAME=" + config.hostname);

  if (options.physical_cpus) config.annotations[runtime::kCpusAnnotation] = "physical";
  if (options.nesting) {
    config.annotations[runtime::kNestingAnnotation] = "on";
    config.linux_.masked_paths.clear();
    config.linux_.readonly_paths.clear();
  }

  auto& isolation = config.linux_;
  isolation.namespaces = {{"mount", ""}, {"uts", ""}, {"ipc", ""}, {"pid", ""}, {"cgroup", ""}, {"time", ""}};
  if (!options.host_network) isolation.namespaces.push_back({"network", ""});
  // The container's clocks begin at zero when it does.
  isolation.time_offsets["boottime"] = {
      -std::chrono::duration_cast<std::chrono::seconds>(clock.boottime()).count(), 0};
  isolation.time_offsets["monotonic"] = {-whole_seconds(CLOCK_MONOTONIC), 0};
  isolation.cgroups_path = record.payload_cgroup();
  // The limits again, so that programs which read their own cgroup see them too.
  isolation.resources = outer_resources(options);
  isolation.resources.pids_limit = options.pids_limit;
  isolation.seccomp = seccomp::default_profile(capabilities::default_capabilities(), options.nesting);

  config.mounts.push_back(bind_mount(record.directory() + "/hosts", "/etc/hosts", false));
  config.mounts.push_back(bind_mount(record.directory() + "/hostname", "/etc/hostname", false));
  if (options.host_network)
    config.mounts.push_back(bind_mount(record.directory() + "/resolv.conf", "/etc/resolv.conf", false));
  for (const auto& volume : options.volumes)
    config.mounts.push_back(bind_mount(volume.source, volume.destination, volume.read_only));
  return config;
}

Result<> write_etc_files(const Record& record, const RunOptions& options) {
  const auto name = hostname_of(record, options);
  TRY(sys::create_file(record.directory() + "/hostname", name + "\n"));
  const auto address = options.host_network ? "127.0.1.1" : "127.0.0.1";
  TRY(sys::create_file(record.directory() + "/hosts",
                       "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n" +
                           std::string(address) + "\t" + name + "\n"));
  if (!options.host_network) return {};
  return sys::create_file(record.directory() + "/resolv.conf",
                          sys::read_file("/etc/resolv.conf").value_or(""));
}

}  // namespace nacre::tool
