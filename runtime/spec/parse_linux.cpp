// SPDX-License-Identifier: Apache-2.0
#include "runtime/spec/parse_linux.h"

namespace nacre::runtime::spec {

static void read(const Value& value, IdMapping& out) {
  read(value["containerID"], out.container_id);
  read(value["hostID"], out.host_id);
  read(value["size"], out.size);
}

static void read(const Value& value, Namespace& out) {
  read(value["type"], out.type);
  read(value["path"], out.path);
}

static void read(const Value& value, TimeOffset& out) {
  read(value["secs"], out.seconds);
  read(value["nanosecs"], out.nanoseconds);
}

static void read(const Value& value, Device& out) {
  read(value["path"], out.path);
  read(value["type"], out.type);
  read(value["major"], out.major);
  read(value["minor"], out.minor);
  read(value["fileMode"], out.file_mode);
  read(value["uid"], out.uid);
  read(value["gid"], out.gid);
}

static void read(const Value& value, DeviceRule& out) {
  read(value["allow"], out.allow);
  read(value["type"], out.type);
  read(value["major"], out.major);
  read(value["minor"], out.minor);
  read(value["access"], out.access);
  // runc writes "every number" as -1.
  if (out.major == -1) out.major.reset();
  if (out.minor == -1) out.minor.reset();
}

static void read(const Value& value, WeightDevice& out) {
  read(value["major"], out.major);
  read(value["minor"], out.minor);
  read(value["weight"], out.value);
  read(value["rate"], out.value);
}

static void read(const Value& value, HugepageLimit& out) {
  read(value["pageSize"], out.page_size);
  read(value["limit"], out.limit);
}

static void read(const Value& value, MemoryResources& out) {
  read(value["limit"], out.limit);
  read(value["reservation"], out.reservation);
  read(value["swap"], out.swap);
  read(value["swappiness"], out.swappiness);
  read(value["disableOOMKiller"], out.disable_oom_killer);
}

static void read(const Value& value, CpuResources& out) {
  read(value["shares"], out.shares);
  read(value["period"], out.period);
  read(value["burst"], out.burst);
  read(value["quota"], out.quota);
  read(value["idle"], out.idle);
  read(value["cpus"], out.cpus);
  read(value["mems"], out.mems);
}

static void read(const Value& value, BlockIoResources& out) {
  read(value["weight"], out.weight);
  read(value["weightDevice"], out.weight_devices);
  read(value["throttleReadBpsDevice"], out.read_bps);
  read(value["throttleWriteBpsDevice"], out.write_bps);
  read(value["throttleReadIOPSDevice"], out.read_iops);
  read(value["throttleWriteIOPSDevice"], out.write_iops);
}

static void read(const Value& value, Resources& out) {
  read(value["memory"], out.memory);
  read(value["cpu"], out.cpu);
  read(value["pids"]["limit"], out.pids_limit);
  read(value["devices"], out.devices);
  read(value["blockIO"], out.block_io);
  read(value["hugepageLimits"], out.hugepage_limits);
  read(value["unified"], out.unified);
  refuse(value, {"network", "rdma"});
}

static void read(const Value& value, SeccompArg& out) {
  read(value["index"], out.index);
  read(value["value"], out.value);
  read(value["valueTwo"], out.value_two);
  read(value["op"], out.op);
}

static void read(const Value& value, SeccompSyscall& out) {
  read(value["names"], out.names);
  read(value["action"], out.action);
  read(value["errnoRet"], out.errno_ret);
  read(value["args"], out.args);
}

static void read(const Value& value, Seccomp& out) {
  read(value["defaultAction"], out.default_action);
  read(value["defaultErrnoRet"], out.default_errno_ret);
  read(value["architectures"], out.architectures);
  read(value["flags"], out.flags);
  read(value["syscalls"], out.syscalls);
  read(value["listenerPath"], out.listener_path);
  read(value["listenerMetadata"], out.listener_metadata);
}

void read(const Value& value, Linux& out) {
  read(value["namespaces"], out.namespaces);
  read(value["uidMappings"], out.uid_mappings);
  read(value["gidMappings"], out.gid_mappings);
  read(value["timeOffsets"], out.time_offsets);
  read(value["devices"], out.devices);
  read(value["cgroupsPath"], out.cgroups_path);
  read(value["resources"], out.resources);
  read(value["seccomp"], out.seccomp);
  read(value["rootfsPropagation"], out.rootfs_propagation);
  read(value["maskedPaths"], out.masked_paths);
  read(value["readonlyPaths"], out.readonly_paths);
  read(value["sysctl"], out.sysctl);
  read(value["mountLabel"], out.mount_label);
  refuse(value, {"intelRdt", "personality", "netDevices", "memoryPolicy"});
}

}  // namespace nacre::runtime::spec
