// SPDX-License-Identifier: Apache-2.0
#include "base/sys/mount_cloner.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

#include "base/parse.h"
#include "base/sys/call_filter.h"
#include "base/sys/capabilities.h"
#include "base/sys/checked.h"
#include "base/sys/file.h"
#include "base/sys/mount.h"
#include "base/sys/socket.h"

namespace nacre::sys {
namespace {

constexpr std::array kCapabilities{CAP_SYS_ADMIN};
constexpr auto kCalls = std::to_array<int>({SYS_getdents64, SYS_mount_setattr, SYS_open_tree});

// A question is the directory and then a line for each file, its path after one of these. An answer is the
// number of an error, 0 with the mounts, and a line with its context.
constexpr char kReadOnly = 'r';
constexpr char kWritable = 'w';
// All the descriptors that the process has.
constexpr int kSocket = 0;
constexpr int kRoot = 1;

Result<> keep_only(int socket, int root) {
  const int lifted_socket = TRY(checked([&] { return ::fcntl(socket, F_DUPFD, 2); }));
  const int lifted_root = TRY(checked([&] { return ::fcntl(root, F_DUPFD, 2); }));
  TRY(checked([&] { return ::dup2(lifted_socket, kSocket); }));
  TRY(checked([&] { return ::dup2(lifted_root, kRoot); }));
  return succeed([] { return ::syscall(SYS_close_range, 2, ~0u, 0); });
}

Result<std::vector<UniqueFd>> look_up_and_clone(std::string_view question) {
  auto lines = split(question, '\n');
  // From its own directory on: its name is looked up anew each time.
  const std::string path(lines.front());
  const auto directory = TRY(during(path, open_at(kRoot, path.c_str(), O_RDONLY | O_DIRECTORY)));
  // The first part of a listing looks all of them up at once; without it they are looked up singly.
  std::array<char, 4096> listing;
  static_cast<void>(::syscall(SYS_getdents64, directory.get(), listing.data(), listing.size()));
  lines.erase(lines.begin());
  std::vector<UniqueFd> mounts;
  for (const auto line : lines) {
    const std::string file(line.substr(1));
    auto mount = TRY(during("clone the mount of " + file, clone_mount(directory.get(), file.c_str(), false)));
    if (line.front() == kWritable)
      TRY(during("make " + file + " writable",
                 set_mount_attributes(mount.get(), 0, MOUNT_ATTR_RDONLY, 0, false)));
    mounts.push_back(std::move(mount));
  }
  return mounts;
}

Result<> confine() {
  TRY(keep_capabilities(kCapabilities));
  return kConfinable ? allow_only(kCalls) : Result<>{};
}

Result<> answer(const Result<std::vector<UniqueFd>>& mounts) {
  if (!mounts)
    return send_message(kSocket, std::to_string(mounts.error().code) + "\n" + mounts.error().context);
  std::vector<int> descriptors;
  for (const auto& mount : *mounts) descriptors.push_back(mount.get());
  return send_message(kSocket, "0\n", descriptors);
}

Result<> serve(int socket, int root) {
  TRY(keep_only(socket, root));
  ::prctl(PR_SET_NAME, "nacre-mounts", 0, 0, 0);
  const auto confined = confine();
  for (;;) {
    const auto question = TRY(receive_message(kSocket));
    if (question.text.empty()) return {};
    if (!confined) {
      TRY(answer(std::unexpected(confined.error())));
    } else {
      TRY(answer(look_up_and_clone(question.text)));
    }
  }
}

}  // namespace

Result<MountCloner> MountCloner::start(int root) {
  auto [ours, theirs] = TRY(seqpacket_pair());
  const auto child = TRY(during("start a process that clones mounts", checked([] { return ::fork(); })));
  if (child == 0) ::_exit(serve(theirs.get(), root) ? 0 : 1);
  return MountCloner(std::move(ours));
}

Result<std::vector<UniqueFd>> MountCloner::clone(const std::string& directory,
                                                 const std::vector<Wanted>& wanted) {
  const auto gone = [] { return fail(ECONNRESET, "the process that clones mounts"); };
  auto question = directory;
  for (const auto& [path, writable] : wanted) {
    question += '\n';
    question += writable ? kWritable : kReadOnly;
    question += path;
  }
  if (!send_message(socket_.get(), question)) return gone();
  auto answer = TRY(receive_message(socket_.get()));
  if (answer.text.empty()) return gone();
  const auto end = answer.text.find('\n');
  const auto code = parse_int<int>(answer.text.substr(0, end));
  if (code != 0) return fail(code.value_or(EIO), answer.text.substr(end + 1));
  return std::move(answer.fds);
}

}  // namespace nacre::sys
