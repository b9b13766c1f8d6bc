// SPDX-License-Identifier: Apache-2.0
#include "tools/nacre/container/root_mount.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>

#include <string>

#include "base/cgroup/hierarchy.h"
#include "base/parse.h"
#include "base/sys/file.h"
#include "base/sys/mount.h"
#include "base/sys/process.h"
#include "runtime/cgroup/manager.h"
#include "tools/nacre/paths.h"

namespace nacre::tool {
namespace {

// The descriptor's number in the server.
constexpr int kServerFuse = 3;

// Option values: ',' ends an option and ':' a layer, so both are escaped.
std::string escaped(const std::string& path) {
  std::string text;
  for (const char c : path) {
    if (c == ',' || c == ':' || c == '\\') text += '\\';
    text += c;
  }
  return text;
}

std::string server_options(const Record& record) {
  std::string layers;
  for (const auto& layer : record.layers) layers += (layers.empty() ? "" : ":") + escaped(layer);
  return "lowerdir=" + layers + ",upperdir=" + escaped(record.upper()) + ",workdir=" + escaped(record.work());
}

Result<UniqueFd> detached_mount(int fuse) {
  return sys::new_mount("fuse",
                        {{"source", "nacre"},
                         {"subtype", "nacre-fs"},
                         {"fd", std::to_string(fuse)},
                         {"rootmode", "40000"},
                         {"user_id", "0"},
                         {"group_id", "0"},
                         {"allow_other", ""},
                         {"default_permissions", ""}},
                        MOUNT_ATTR_NODEV);
}

// The last line the server wrote before it gave up.
std::string last_words(const Record& record) {
  const auto log = sys::read_file(record.fs_log()).value_or("");
  const auto text = trim(log);
  const auto line = text.substr(text.rfind('\n') + 1);
  return line.empty() ? "it ended without a word" : std::string(line);
}

}  // namespace

Result<RootMount> RootMount::create(const Record& record) {
  RootMount root;
  {
    const auto fuse = TRY(
        during("open /dev/fuse (is the fuse module loaded?)", sys::open_at(AT_FDCWD, "/dev/fuse", O_RDWR)));
    root.mount_ = TRY(detached_mount(fuse.get()));
    const auto log =
        TRY(sys::open_at(AT_FDCWD, record.fs_log().c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600));
    const auto hierarchies = TRY(cgroup::Hierarchies::detect());
    const auto cgroup = TRY(runtime::CgroupManager::create(hierarchies, record.fs_cgroup(), {}));
    root.server_pid_ = TRY(sys::spawn({
        .argv = {program("nacre-fs"), "-f", "-o", server_options(record),
                 "/dev/fd/" + std::to_string(kServerFuse)},
        .environment = {},
        .fds = {{log.get(), 2}, {fuse.get(), kServerFuse}},
        .cgroup_procs = cgroup.procs_files(),
    }));
    root.server_ = TRY(sys::pidfd_open(root.server_pid_));
  }
  // With our copy of the connection closed, a server that gives up ends this wait.
  struct stat st {};
  if (::fstatat(root.mount(), "", &st, AT_EMPTY_PATH) != 0) {
    root.finish(1000);
    return bad_input("root file system: " + last_words(record));
  }
  return root;
}

void RootMount::finish(int milliseconds) {
  mount_.reset();
  if (server_pid_ < 0) return;
  pollfd ended{.fd = server_.get(), .events = POLLIN, .revents = 0};
  if (::poll(&ended, 1, milliseconds) != 1) static_cast<void>(sys::pidfd_signal(server_.get(), SIGKILL));
  static_cast<void>(sys::wait_for(server_pid_));
  server_pid_ = -1;
}

}  // namespace nacre::tool
