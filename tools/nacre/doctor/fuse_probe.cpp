// SPDX-License-Identifier: Apache-2.0
#include "tools/nacre/doctor/fuse_probe.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "base/sys/checked.h"
#include "base/sys/file.h"
#include "base/sys/mount.h"

namespace nacre::tool::doctor {

Result<FuseOffer> probe_fuse() {
  const auto device = TRY(during("open /dev/fuse", sys::open_at(AT_FDCWD, "/dev/fuse", O_RDWR)));
  const auto mount = TRY(sys::new_mount("fuse",
                                        {{"source", "nacre"},
                                         {"fd", std::to_string(device.get())},
                                         {"rootmode", "40000"},
                                         {"user_id", "0"},
                                         {"group_id", "0"}},
                                        0));
  alignas(fuse_in_header) std::array<char, FUSE_MIN_READ_BUFFER> request{};
  const auto size = TRY(during(
      "read FUSE_INIT", sys::checked([&] { return ::read(device.get(), request.data(), request.size()); })));
  fuse_in_header header{};
  fuse_init_in init{};
  if (static_cast<std::size_t>(size) < sizeof(header) + sizeof(init)) return fail(EPROTO, "read FUSE_INIT");
  std::memcpy(&header, request.data(), sizeof(header));
  std::memcpy(&init, request.data() + sizeof(header), sizeof(init));
  if (header.opcode != FUSE_INIT) return fail(EPROTO, "read FUSE_INIT");
  return FuseOffer{init.major, init.minor, init.flags | static_cast<std::uint64_t>(init.flags2) << 32};
}

}  // namespace nacre::tool::doctor
