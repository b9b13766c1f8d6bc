// SPDX-License-Identifier: Apache-2.0
#include "fs/setup.h"

#include <fcntl.h>
#include <linux/stat.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <thread>

#include "base/parse.h"
#include "base/scope_exit.h"
#include "base/sys/file.h"
#include "base/sys/mount.h"
#include "fs/layer/directory_layer.h"
#include "fs/layer/overridden_layer.h"
#include "fs/layer/upper_directory.h"

namespace nacre::fs {
namespace {

// A directory named by an option.
struct Opened {
  std::string label;  // "upperdir /x"
  UniqueFd fd;        // O_RDONLY if it may be, else O_PATH
  struct stat attr {};
};

bool same(const struct stat& a, const struct stat& b) { return a.st_dev == b.st_dev && a.st_ino == b.st_ino; }

Result<Opened> open_directory(std::string_view option, const std::string& path) {
  Opened opened{.label = std::string(option) + " " + path, .fd = {}, .attr = {}};
  auto fd = sys::open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY);
  if (!fd && fd.error().code == EACCES) fd = sys::open_at(AT_FDCWD, path.c_str(), O_PATH | O_DIRECTORY);
  if (!fd) return fail(fd.error().code, opened.label);
  opened.fd = std::move(*fd);
  opened.attr = TRY(during(opened.label, sys::stat_fd(opened.fd.get())));
  return opened;
}

// Whether `inner` is `outer` or lies below it.
Result<bool> is_within(const Opened& inner, const struct stat& outer) {
  auto at = TRY(sys::open_at(inner.fd.get(), ".", O_PATH | O_DIRECTORY));
  auto attr = inner.attr;
  for (;;) {
    if (same(attr, outer)) return true;
    auto above = TRY(sys::open_at(at.get(), "..", O_PATH | O_DIRECTORY));
    const auto next = TRY(sys::stat_fd(above.get()));
    if (same(next, attr)) return false;
    at = std::move(above);
    attr = next;
  }
}

Result<> must_not_overlap(const Opened& one, const Opened& other) {
  if (TRY(is_within(one, other.attr)))
    return bad_input(one.label + " lies inside " + other.label +
                     ": give directories that do not contain each other");
  if (TRY(is_within(other, one.attr)))
    return bad_input(other.label + " lies inside " + one.label +
                     ": give directories that do not contain each other");
  return {};
}

Result<> must_not_overlap(const std::vector<Opened>& lowers, const Opened& upper, const Opened& work) {
  for (const auto& lower : lowers) {
    TRY(must_not_overlap(upper, lower));
    TRY(must_not_overlap(work, lower));
  }
  return {};
}

Result<std::uint64_t> mount_id(int fd) {
  struct statx attr {};
  if (::statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &attr) != 0) return fail(errno);
  return attr.stx_mnt_id;
}

// Who holds the flock on a file, by /proc/locks ("1: FLOCK  ADVISORY  WRITE 123 00:2d:4 0 EOF").
std::string holder_of(const struct stat& attr) {
  const auto text = sys::read_file("/proc/locks");
  if (!text) return {};
  for (const auto line : split(*text, '\n')) {
    const auto fields = split_blank(line);
    if (fields.size() < 6 || fields[1] != "FLOCK") continue;
    const auto file = split(fields[5], ':');
    if (file.size() != 3) continue;
    const auto major_number = parse_int<unsigned>(file[0], 16),
               minor_number = parse_int<unsigned>(file[1], 16);
    if (parse_int<ino_t>(file[2]) == attr.st_ino && major_number == major(attr.st_dev) &&
        minor_number == minor(attr.st_dev))
      return " (pid " + std::string(fields[4]) + ")";
  }
  return {};
}

// The lock belongs to the descriptor and so vanishes with the process, however it ends.
// umount(8) returns before the process that served the mount has ended, so that whoever
// mounts again at once finds it still alive for a moment.
Result<UniqueFd> lock(const Opened& dir) {
  auto fd = TRY(during(dir.label, sys::open_at(dir.fd.get(), ".", O_RDONLY | O_DIRECTORY)));
  constexpr int kTries = 200;
  for (int i = 0; i < kTries; ++i) {
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
    if (errno != EWOULDBLOCK) return fail(errno, dir.label + ": lock");
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return bad_input(dir.label + " is in use by another nacre-fs" + holder_of(dir.attr) +
                   ": unmount that first, or give a directory of its own");
}

// As kernel overlayfs, we see a layer without what is mounted inside it, so that a mount
// in a layer (ours, above all) cannot come back to us. Without the right to do so, with it.
Result<UniqueFd> layer_root(const Opened& dir) {
  if (auto clone = sys::clone_mount(dir.fd.get(), "", false)) return clone;
  return sys::open_at(dir.fd.get(), ".", O_PATH | O_DIRECTORY);
}

Result<> check_writable(const Opened& dir) {
  struct statvfs fs {};
  if (::fstatvfs(dir.fd.get(), &fs) != 0) return fail(errno, dir.label);
  if ((fs.f_flag & ST_RDONLY) == 0) return {};
  return bad_input(dir.label +
                   " is on a read-only file system: give one that can be written, or leave upperdir "
                   "out for a read-only mount");
}

Result<> check_same_mount(const Opened& upper, const Opened& work) {
  if (upper.attr.st_dev == work.attr.st_dev &&
      TRY(during(upper.label, mount_id(upper.fd.get()))) == TRY(during(work.label, mount_id(work.fd.get()))))
    return {};
  return bad_input(work.label + " is not on the same file system as " + upper.label +
                   ": give a directory beside it, of the same mount");
}

// As kernel overlayfs: beside the directory "work".
Result<UniqueFd> open_index(const Opened& work) {
  if (::mkdirat(work.fd.get(), "index", 0700) != 0 && errno != EEXIST)
    return fail(errno, "create the directory index");
  return sys::open_at(work.fd.get(), "index", O_PATH | O_DIRECTORY | O_NOFOLLOW);
}

Result<std::unique_ptr<UpperLayer>> open_upper(const Options& options, const Opened& upper,
                                               const Opened& work) {
  if (::faccessat(work.fd.get(), "work/incompat/volatile", F_OK, 0) == 0)
    return bad_input(work.label + " was last used by a volatile mount: check the data of " + upper.label +
                     ", then remove work/incompat in it");
  const bool made = ::mkdirat(work.fd.get(), "work", 0700) == 0;
  if (!made && errno != EEXIST) return fail(errno, work.label + ": create the directory work");
  ScopeExit undo{[&] {
    if (made) ::unlinkat(work.fd.get(), "work", AT_REMOVEDIR);
  }};
  auto root = TRY(during(upper.label, sys::open_at(upper.fd.get(), ".", O_PATH | O_DIRECTORY)));
  auto staging =
      TRY(during(work.label, sys::open_at(work.fd.get(), "work", O_PATH | O_DIRECTORY | O_NOFOLLOW)));
  UniqueFd index;
  if (options.index) index = TRY(during(work.label, open_index(work)));
  auto layer = TRY(during(
      upper.label, UpperDirectory::create(std::move(root), std::move(staging), std::move(index),
                                          {.user_xattrs = options.user_xattrs, .markers = options.markers})));
  undo.dismiss();
  return std::unique_ptr<UpperLayer>(std::move(layer));
}

// Owners and modes by an attribute in the layers whose root has it, and in the upper when it is asked
// for. Its root then gets the attribute of the topmost lower one, so that the next mount finds it.
Result<> override_stats(const Options& options, OverlayConfig& config) {
  std::string of_root = "0:0:0555";
  bool first = true;
  for (auto& lower : config.lowers) {
    const auto attribute = OverrideAttribute::of(*lower);
    if (!attribute) continue;
    if (std::exchange(first, false)) of_root = TRY(lower->get_xattr(*lower->root(), ".", attribute->name()));
    lower = std::make_unique<OverriddenLayer>(std::move(lower), *attribute);
  }
  if (!config.upper) return {};
  auto& upper = *config.upper;
  auto attribute = OverrideAttribute::of(upper);
  if (!attribute && options.stat_override == Options::StatOverride::by_root) return {};
  if (options.stat_override == Options::StatOverride::privileged) attribute = OverrideAttribute::privileged();
  if (!attribute) attribute = OverrideAttribute::containers();
  if (!upper.get_xattr(*upper.root(), ".", attribute->name())) {
    const auto root = TRY(upper.open_object(*upper.root(), "."));
    TRY(during(std::string("set ") + attribute->name(),
               upper.set_xattr(root.get(), attribute->name(), of_root, 0)));
  }
  config.upper = std::make_unique<OverriddenUpper>(std::move(config.upper), *attribute);
  return {};
}

// Requests on a directory of ours that lead back to us would wait for ourselves.
Result<> check_mountpoint(const Options& options, const Opened& upper) {
  if (options.mountpoint.starts_with("/dev/fd/")) return {};
  const auto mountpoint = TRY(open_directory("mount point", options.mountpoint));
  if (!same(mountpoint.attr, upper.attr) && TRY(is_within(mountpoint, upper.attr)))
    return bad_input(mountpoint.label + " lies inside " + upper.label + ": mount somewhere else");
  return {};
}

std::size_t part_of_descriptors(unsigned part) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return std::clamp<std::size_t>(limit.rlim_cur / part, 64, 8192);
}

Result<IdMap> id_map(const std::string& mapping, std::optional<std::uint32_t> squash, const char* overflow) {
  if (squash) return IdMap::squash(*squash);
  if (mapping.empty()) return IdMap{};
  const auto text = TRY(sys::read_file(overflow));
  return IdMap::parse(mapping, parse_int<std::uint32_t>(text.substr(0, text.find('\n'))).value_or(65534));
}

}  // namespace

std::unique_ptr<Layer> lower_layer(UniqueFd root) {
  auto layer = std::make_unique<DirectoryLayer>(std::move(root));
  const auto attribute = OverrideAttribute::of(*layer);
  if (!attribute) return layer;
  return std::make_unique<OverriddenLayer>(std::move(layer), *attribute);
}

Result<std::vector<UniqueFd>> open_more_lowers(const std::vector<std::string>& paths, int mount,
                                               UniqueFd upper, UniqueFd work) {
  const auto device = TRY(sys::stat_fd(mount)).st_dev;
  std::vector<Opened> lowers;
  for (const auto& path : paths) {
    lowers.push_back(TRY(open_directory("lowerdir", path)));
    if (lowers.back().attr.st_dev == device)
      return bad_input(lowers.back().label + " lies inside the mount that it is to be added to");
  }
  if (upper) {
    const auto attr_of_upper = TRY(sys::stat_fd(upper.get())), attr_of_work = TRY(sys::stat_fd(work.get()));
    TRY(must_not_overlap(lowers, {"upperdir of the mount", std::move(upper), attr_of_upper},
                         {"workdir of the mount", std::move(work), attr_of_work}));
  }
  std::vector<UniqueFd> roots;
  for (const auto& lower : lowers) roots.push_back(TRY(during(lower.label, layer_root(lower))));
  return roots;
}

Result<Prepared> prepare(const Options& options) {
  Prepared prepared;
  prepared.config.sync = options.sync;
  prepared.config.open_directories = part_of_descriptors(4);
  prepared.config.open_lower_files = part_of_descriptors(2);
  if (options.most_inodes != 0) prepared.config.most_inodes = options.most_inodes;
  prepared.config.users =
      TRY(id_map(options.uid_mapping, options.squash_uid, "/proc/sys/kernel/overflowuid"));
  prepared.config.groups =
      TRY(id_map(options.gid_mapping, options.squash_gid, "/proc/sys/kernel/overflowgid"));
  std::vector<Opened> lowers;
  for (const auto* paths : {&options.lowers, &options.data_only})
    for (const auto& path : *paths) lowers.push_back(TRY(open_directory("lowerdir", path)));
  prepared.config.data_only_layers = options.data_only.size();
  prepared.config.redirect_dir = options.redirect_dir;
  // A limit of time says that something may change.
  prepared.config.names_stay = options.timeout >= Options::kForEver;
  prepared.config.metacopy = options.metacopy;
  if (options.upper) {
    const auto upper = TRY(open_directory("upperdir", *options.upper));
    const auto work = TRY(open_directory("workdir", *options.work));
    TRY(check_writable(upper));
    TRY(check_same_mount(upper, work));
    TRY(check_writable(work));
    TRY(must_not_overlap(work, upper));
    TRY(must_not_overlap(lowers, upper, work));
    TRY(check_mountpoint(options, upper));
    prepared.upper = TRY(lock(upper));
    prepared.work = TRY(lock(work));
    prepared.config.upper = TRY(open_upper(options, upper, work));
  }
  for (const auto& lower : lowers)
    prepared.config.lowers.push_back(
        std::make_unique<DirectoryLayer>(TRY(during(lower.label, layer_root(lower)))));
  TRY(during(options.upper ? "upperdir " + *options.upper : "lowerdir",
             override_stats(options, prepared.config)));
  return prepared;
}

}  // namespace nacre::fs
