// SPDX-License-Identifier: Apache-2.0
#include "base/sys/mount.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <future>
#include <system_error>

#include "base/parse.h"
#include "base/sys/checked.h"

namespace nacre::sys {
namespace {

// What the kernel left in the context's log: lines like "e fuse: Unknown parameter 'x'".
std::unexpected<Error> explained(int context, int code, std::string step) {
  std::array<char, 512> line;
  const auto size = ::read(context, line.data(), line.size());
  if (size > 2) step += " (" + std::string(trim({line.data() + 2, static_cast<std::size_t>(size) - 2})) + ")";
  return fail(code, std::move(step));
}

std::string unescape(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto octal =
        text[i] == '\\' && i + 3 < text.size() ? parse_int<unsigned>(text.substr(i + 1, 3), 8) : std::nullopt;
    if (octal && *octal < 256) {
      plain += static_cast<char>(*octal);
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

}  // namespace

Result<UniqueFd> new_mount(const char* type, const std::vector<FsParameter>& parameters,
                           unsigned attributes) {
  const std::string step = std::string("new ") + type + " mount";
  const UniqueFd context{TRY(during(step, checked([&] { return ::fsopen(type, FSOPEN_CLOEXEC); })))};
  for (const auto& [key, value] : parameters) {
    const int rc = value.empty()
                       ? ::fsconfig(context.get(), FSCONFIG_SET_FLAG, key.c_str(), nullptr, 0)
                       : ::fsconfig(context.get(), FSCONFIG_SET_STRING, key.c_str(), value.c_str(), 0);
    if (rc != 0)
      return explained(context.get(), errno, step + ": " + key + (value.empty() ? "" : "=" + value));
  }
  if (::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0)
    return explained(context.get(), errno, step);
  return UniqueFd{
      TRY(during(step, checked([&] { return ::fsmount(context.get(), FSMOUNT_CLOEXEC, attributes); })))};
}

Result<UniqueFd> clone_mount(int dir, const char* path, bool recursive) {
  const unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH |
                         (recursive ? static_cast<unsigned>(AT_RECURSIVE) : 0u);
  return UniqueFd{TRY(checked([&] { return ::open_tree(dir, path, flags); }))};
}

Result<bool> is_read_only(int file) {
  struct statvfs fs {};
  TRY(succeed([&] { return ::fstatvfs(file, &fs); }));
  return (fs.f_flag & ST_RDONLY) != 0;
}

Result<> attach_mount(int mount, int dir, const char* path) {
  return succeed([&] {
    return ::move_mount(mount, "", dir, path,
                        MOVE_MOUNT_F_EMPTY_PATH | (*path == '\0' ? MOVE_MOUNT_T_EMPTY_PATH : 0));
  });
}

Result<> detach_mount(const std::string& path) {
  return succeed([&] { return ::umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW); });
}

Result<> set_mount_attributes(int mount, std::uint64_t set, std::uint64_t clear, std::uint64_t propagation,
                              bool recursive) {
  mount_attr attributes{.attr_set = set, .attr_clr = clear, .propagation = propagation, .userns_fd = 0};
  return succeed([&] {
    return ::mount_setattr(mount, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attributes,
                           sizeof(attributes));
  });
}

Result<> set_tree_propagation(std::uint64_t propagation) {
  auto set = succeed([&] { return ::mount(nullptr, "/", nullptr, propagation | MS_REC, nullptr); });
  if (!set && set.error().code == EINVAL)
    return bad_input("/ is not a mount point (a plain chroot); run mount --bind DIR DIR before chroot DIR");
  return during("set the propagation of all mounts", std::move(set));
}

// By a thread: the kernel lets in who shares its root and working directory with nobody.
Result<int> in_mount_namespace(int descriptor, const std::function<Result<int>()>& action) {
  const auto enter_and_act = [&]() -> Result<int> {
    TRY(succeed([] { return ::unshare(CLONE_FS); }));
    TRY(succeed([&] { return ::setns(descriptor, CLONE_NEWNS); }));
    return action();
  };
  try {
    return std::async(std::launch::async, enter_and_act).get();
  } catch (const std::system_error& failure) {
    return fail(failure.code().value(), "start a thread");
  }
}

Result<std::vector<MountInfo>> parse_mountinfo(std::string_view text) {
  std::vector<MountInfo> mounts;
  for (const auto line : split(text, '\n')) {
    if (line.empty()) continue;
    const auto fields = split(line, ' ');
    // Optional fields ("shared:1") come between the sixth field and a lone "-".
    std::size_t dash = 6;
    while (dash < fields.size() && fields[dash] != "-") ++dash;
    if (dash + 3 >= fields.size()) return bad_input("malformed mountinfo line: " + std::string(line));
    const auto id = parse_int<std::uint64_t>(fields[0]);
    const auto parent = parse_int<std::uint64_t>(fields[1]);
    if (!id || !parent) return bad_input("malformed mountinfo line: " + std::string(line));
    mounts.push_back({.id = *id,
                      .parent = *parent,
                      .device = std::string(fields[2]),
                      .root = unescape(fields[3]),
                      .mountpoint = unescape(fields[4]),
                      .options = std::string(fields[5]),
                      .type = std::string(fields[dash + 1]),
                      .source = unescape(fields[dash + 2]),
                      .super_options = std::string(fields[dash + 3])});
  }
  return mounts;
}

}  // namespace nacre::sys
