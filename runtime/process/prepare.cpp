// SPDX-License-Identifier: Apache-2.0
#include "runtime/process/prepare.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

#include "base/parse.h"
#include "base/sys/checked.h"
#include "base/sys/file.h"
#include "base/sys/mount.h"
#include "runtime/spec/namespaces.h"

namespace nacre::runtime::process {
namespace {

std::string map_text(const std::vector<spec::IdMapping>& mappings) {
  std::string text;
  for (const auto& m : mappings)
    text += std::to_string(m.container_id) + " " + std::to_string(m.host_id) + " " + std::to_string(m.size) +
            "\n";
  return text;
}

// Engines take "no such file or directory" for a missing command; this is not one.
Result<UniqueFd> open_existing(const std::string& what, const std::string& path, int flags) {
  auto opened = sys::open_at(AT_FDCWD, path.c_str(), flags);
  if (opened) return opened;
  if (opened.error().code == ENOENT) return bad_input(what + " " + path + " does not exist");
  return fail(opened.error().code, what + " " + path);
}

}  // namespace

Result<std::vector<UniqueFd>> open_joins(const std::vector<plan::JoinNamespace>& joins) {
  std::vector<UniqueFd> fds;
  for (const auto& join : joins) {
    const auto what = join.type + " namespace";
    fds.push_back(TRY(open_existing(what, join.path, O_RDONLY)));
    if (::ioctl(fds.back().get(), NS_GET_NSTYPE) != spec::namespace_flag(join.type))
      return bad_input(what + " " + join.path + " is not a " + what);
  }
  return fds;
}

Result<std::vector<UniqueFd>> open_sources(const std::vector<plan::Source>& sources) {
  std::vector<UniqueFd> fds;
  for (const auto& source : sources) {
    const auto place = TRY(open_existing("mount source", source.path, O_PATH));
    fds.push_back(
        TRY(during("mount source " + source.path, sys::clone_mount(place.get(), "", source.recursive))));
  }
  return fds;
}

Result<UniqueFd> open_root(const std::string& path, int given) {
  if (given >= 0)
    return UniqueFd{
        TRY(during("root mount", sys::checked([&] { return ::fcntl(given, F_DUPFD_CLOEXEC, 3); })))};
  const auto place = TRY(open_existing("root filesystem", path, O_PATH | O_DIRECTORY));
  auto root = TRY(during("root filesystem " + path, sys::clone_mount(place.get(), "", true)));
  TRY(during("root filesystem " + path, sys::set_mount_attributes(root.get(), 0, 0, MS_SLAVE, true)));
  return root;
}

Result<> write_id_maps(pid_t pid, const std::vector<spec::IdMapping>& uids,
                       const std::vector<spec::IdMapping>& gids) {
  const auto directory = "/proc/" + std::to_string(pid);
  TRY(during("linux.uidMappings", sys::write_file(directory + "/uid_map", map_text(uids))));
  return during("linux.gidMappings", sys::write_file(directory + "/gid_map", map_text(gids)));
}

Result<> set_oom_score(pid_t pid, int score) {
  const auto path = "/proc/" + std::to_string(pid) + "/oom_score_adj";
  const auto now = parse_int<int>(trim(TRY(sys::read_file(path))));
  if (now == score) return {};
  auto written = sys::write_file(path, std::to_string(score));
  if (!written && written.error().code == EACCES)
    return bad_input("process.oomScoreAdj: lowering it to " + std::to_string(score) +
                     " needs CAP_SYS_RESOURCE");
  return during("process.oomScoreAdj", std::move(written));
}

Result<> check_preserved(unsigned count) {
  for (unsigned fd = 3; fd < 3 + count; ++fd)
    if (::fcntl(static_cast<int>(fd), F_GETFD) < 0)
      return bad_input("descriptor " + std::to_string(fd) + ", to be preserved, is not open");
  return {};
}

}  // namespace nacre::runtime::process
