// SPDX-License-Identifier: Apache-2.0
#include "runtime/spec/write_linux.h"

#include <nlohmann/json.hpp>

namespace nacre::runtime::spec {
namespace {

using nlohmann::ordered_json;

template <typename T>
void put(ordered_json& out, const char* name, const std::optional<T>& value) {
  if (value) out[name] = *value;
}

void put(ordered_json& out, const char* name, const std::string& value) {
  if (!value.empty()) out[name] = value;
}

ordered_json mappings_json(const std::vector<IdMapping>& mappings) {
  auto out = ordered_json::array();
  for (const auto& m : mappings)
    out.push_back({{"containerID", m.container_id}, {"hostID", m.host_id}, {"size", m.size}});
  return out;
}

ordered_json devices_json(const std::vector<Device>& devices) {
  auto out = ordered_json::array();
  for (const auto& device : devices) {
    ordered_json one{
        {"path", device.path}, {"type", device.type}, {"major", device.major}, {"minor", device.minor}};
    put(one, "fileMode", device.file_mode);
    put(one, "uid", device.uid);
    put(one, "gid", device.gid);
    out.push_back(std::move(one));
  }
  return out;
}

ordered_json rules_json(const std::vector<DeviceRule>& rules) {
  auto out = ordered_json::array();
  for (const auto& rule : rules) {
    ordered_json one{{"allow", rule.allow}, {"type", rule.type}, {"access", rule.access}};
    put(one, "major", rule.major);
    put(one, "minor", rule.minor);
    out.push_back(std::move(one));
  }
  return out;
}

ordered_json weights_json(const std::vector<WeightDevice>& devices, const char* value) {
  auto out = ordered_json::array();
  for (const auto& device : devices)
    out.push_back({{"major", device.major}, {"minor", device.minor}, {value, device.value}});
  return out;
}

ordered_json block_io_json(const BlockIoResources& io) {
  ordered_json out;
  put(out, "weight", io.weight);
  const auto add = [&](const char* name, const std::vector<WeightDevice>& devices, const char* value) {
    if (!devices.empty()) out[name] = weights_json(devices, value);
  };
  add("weightDevice", io.weight_devices, "weight");
  add("throttleReadBpsDevice", io.read_bps, "rate");
  add("throttleWriteBpsDevice", io.write_bps, "rate");
  add("throttleReadIOPSDevice", io.read_iops, "rate");
  add("throttleWriteIOPSDevice", io.write_iops, "rate");
  return out;
}

ordered_json memory_json(const MemoryResources& memory) {
  ordered_json out;
  put(out, "limit", memory.limit);
  put(out, "reservation", memory.reservation);
  put(out, "swap", memory.swap);
  put(out, "swappiness", memory.swappiness);
  put(out, "disableOOMKiller", memory.disable_oom_killer);
  return out;
}

ordered_json cpu_json(const CpuResources& cpu) {
  ordered_json out;
  put(out, "shares", cpu.shares);
  put(out, "period", cpu.period);
  put(out, "burst", cpu.burst);
  put(out, "quota", cpu.quota);
  put(out, "idle", cpu.idle);
  put(out, "cpus", cpu.cpus);
  put(out, "mems", cpu.mems);
  return out;
}

ordered_json resources_json(const Resources& resources) {
  ordered_json out;
  if (auto memory = memory_json(resources.memory); !memory.empty()) out["memory"] = std::move(memory);
  if (auto cpu = cpu_json(resources.cpu); !cpu.empty()) out["cpu"] = std::move(cpu);
  if (resources.pids_limit) out["pids"] = {{"limit", *resources.pids_limit}};
  if (!resources.devices.empty()) out["devices"] = rules_json(resources.devices);
  if (auto io = block_io_json(resources.block_io); !io.empty()) out["blockIO"] = std::move(io);
  for (const auto& limit : resources.hugepage_limits)
    out["hugepageLimits"].push_back({{"pageSize", limit.page_size}, {"limit", limit.limit}});
  if (!resources.unified.empty()) out["unified"] = resources.unified;
  return out;
}

ordered_json syscall_json(const SeccompSyscall& call) {
  ordered_json out{{"names", call.names}, {"action", call.action}};
  put(out, "errnoRet", call.errno_ret);
  for (const auto& arg : call.args)
    out["args"].push_back(
        {{"index", arg.index}, {"value", arg.value}, {"valueTwo", arg.value_two}, {"op", arg.op}});
  return out;
}

ordered_json seccomp_json(const Seccomp& seccomp) {
  ordered_json out{{"defaultAction", seccomp.default_action}};
  put(out, "defaultErrnoRet", seccomp.default_errno_ret);
  if (!seccomp.architectures.empty()) out["architectures"] = seccomp.architectures;
  if (!seccomp.flags.empty()) out["flags"] = seccomp.flags;
  put(out, "listenerPath", seccomp.listener_path);
  put(out, "listenerMetadata", seccomp.listener_metadata);
  for (const auto& call : seccomp.syscalls) out["syscalls"].push_back(syscall_json(call));
  return out;
}

}  // namespace

ordered_json linux_json(const Linux& linux) {
  auto out = ordered_json::object();
  for (const auto& one : linux.namespaces) {
    ordered_json entry{{"type", one.type}};
    put(entry, "path", one.path);
    out["namespaces"].push_back(std::move(entry));
  }
  if (!linux.uid_mappings.empty()) out["uidMappings"] = mappings_json(linux.uid_mappings);
  if (!linux.gid_mappings.empty()) out["gidMappings"] = mappings_json(linux.gid_mappings);
  for (const auto& [clock, offset] : linux.time_offsets)
    out["timeOffsets"][clock] = {{"secs", offset.seconds}, {"nanosecs", offset.nanoseconds}};
  if (!linux.devices.empty()) out["devices"] = devices_json(linux.devices);
  put(out, "cgroupsPath", linux.cgroups_path);
  if (auto resources = resources_json(linux.resources); !resources.empty())
    out["resources"] = std::move(resources);
  if (linux.seccomp) out["seccomp"] = seccomp_json(*linux.seccomp);
  put(out, "rootfsPropagation", linux.rootfs_propagation);
  if (!linux.masked_paths.empty()) out["maskedPaths"] = linux.masked_paths;
  if (!linux.readonly_paths.empty()) out["readonlyPaths"] = linux.readonly_paths;
  if (!linux.sysctl.empty()) out["sysctl"] = linux.sysctl;
  put(out, "mountLabel", linux.mount_label);
  return out;
}

}  // namespace nacre::runtime::spec
