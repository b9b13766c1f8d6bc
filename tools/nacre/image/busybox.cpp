// SPDX-License-Identifier: Apache-2.0
#include "tools/nacre/image/busybox.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <string_view>

#include "base/parse.h"
#include "base/scope_exit.h"
#include "base/sys/checked.h"
#include "base/sys/file.h"
#include "base/sys/process.h"
#include "tools/nacre/paths.h"

namespace nacre::tool {
namespace {

constexpr std::array kPlaces{"/bin/busybox", "/usr/bin/busybox"};
constexpr std::array kFolders{"bin", "sbin", "usr/bin", "usr/sbin", "etc",     "dev",     "proc", "sys",
                              "run", "root", "home",    "var",      "var/tmp", "var/log", "mnt",  "lib"};

struct TextFile {
  const char* path;
  const char* text;
};
constexpr std::array kFiles{
    TextFile{"etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n"},
    TextFile{"etc/group", "root:x:0:\nnogroup:x:65534:\n"},
    TextFile{"etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"},
};

Result<std::string> find_busybox() {
  for (std::string path : kPlaces)
    if (sys::exists(path)) return path;
  return bad_input("image busybox: /bin/busybox is missing; install the package busybox-static");
}

// The applets' paths as this busybox names them: "bin/cat", "usr/sbin/chroot" …
Result<std::string> applets(const std::string& busybox) {
  std::array<int, 2> ends{};
  TRY(sys::succeed([&] { return ::pipe2(ends.data(), O_CLOEXEC); }));
  const UniqueFd reading{ends[0]};
  UniqueFd writing{ends[1]};
  const auto child = TRY(sys::spawn(
      {.argv = {busybox, "--list-full"}, .environment = {}, .fds = {{ends[1], 1}}, .cgroup_procs = {}}));
  writing.reset();
  auto list = sys::read_all(reading.get());
  if (TRY(sys::wait_for(child)) != 0 || !list || list->empty())
    return bad_input("image busybox: " + busybox +
                     " cannot list its applets; install the package busybox-static");
  return list;
}

Result<> fill(const std::string& root, const std::string& busybox) {
  for (const std::string folder : kFolders) TRY(sys::make_directories(root + "/" + folder));
  TRY(sys::make_directories(root + "/tmp"));
  if (::chmod((root + "/tmp").c_str(), 01777) != 0) return fail(errno, "chmod " + root + "/tmp");
  for (const auto& file : kFiles) TRY(sys::create_file(root + "/" + file.path, file.text));
  TRY(sys::create_file(root + "/bin/busybox", TRY(sys::read_file(busybox)), 0755));
  const auto list = TRY(applets(busybox));
  for (const auto applet : split_blank(list)) {
    const auto link = root + "/" + std::string(applet);
    if (applet == "bin/busybox" || applet.find("..") != std::string_view::npos) continue;
    // An applet outside the usual folders ("linuxrc") gets none: the link must not dangle.
    if (::symlink("/bin/busybox", link.c_str()) != 0 && errno != EEXIST && errno != ENOENT)
      return fail(errno, "link " + link);
  }
  return {};
}

}  // namespace

Result<std::string> busybox_image() {
  const auto busybox = TRY(find_busybox());
  struct stat st {};
  if (::stat(busybox.c_str(), &st) != 0) return fail(errno, busybox);
  // Another size or time of change is another busybox.
  const auto images = data_directory() + "/images";
  auto root = images + "/busybox-" + std::to_string(st.st_size) + "-" + std::to_string(st.st_mtim.tv_sec);
  if (sys::exists(root)) return root;

  TRY(sys::make_directories(images));
  const auto staged = root + ".new." + std::to_string(::getpid());
  ScopeExit undo{[&] { static_cast<void>(sys::remove_tree(staged)); }};
  TRY(during("image busybox", fill(staged, busybox)));
  // Another nacre may have been faster: its copy is the same.
  if (::rename(staged.c_str(), root.c_str()) == 0)
    undo.dismiss();
  else if (!sys::exists(root))
    return fail(errno, "image busybox: rename " + staged);
  return root;
}

}  // namespace nacre::tool
