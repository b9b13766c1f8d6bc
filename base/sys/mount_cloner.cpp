// SPDX-License-Identifier: Apache-2.0
#include "base/sys/mount_cloner.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/parse.h"
#include "base/sys/file.h"
#include "base/sys/mount.h"

namespace nacre::sys {
namespace {

using namespace std::chrono_literals;

constexpr std::array kCapabilities{CAP_SYS_ADMIN};
constexpr auto kCalls = std::to_array<int>({SYS_getdents64, SYS_mount_setattr, SYS_open_tree, SYS_openat2});
// Twice this, for what was begun and for another question after it, is less than a client's own 10 s.
constexpr auto kPatience = 4s;
constexpr auto kPoll = 300us;

// A question is the directory and then a line for each file, its name after one of these.
constexpr char kReadOnly = 'r';
constexpr char kWritable = 'w';

Result<UniqueFd> clone_one(int directory, char access, const std::string& name) {
  if (name.empty() || name.starts_with('.') || name.find('/') != std::string::npos)
    return fail(EINVAL, "the file " + name);
  auto mount = TRY(during("clone the mount of " + name, clone_mount(directory, name.c_str(), false)));
  if (access == kWritable)
    TRY(during("make " + name + " writable",
               set_mount_attributes(mount.get(), 0, MOUNT_ATTR_RDONLY, 0, false)));
  return mount;
}

Result<Message> clone_all(const Message& question, int root) {
  const auto lines = split(question.text, '\n');
  // From its own directory on: its name is looked up anew each time.
  const std::string path(lines.front());
  const auto directory = TRY(during(path, open_beneath(root, path.c_str(), O_RDONLY | O_DIRECTORY)));
  // The first part of a listing looks all of them up at once; without it they are looked up singly.
  std::array<char, 4096> listing;
  static_cast<void>(::syscall(SYS_getdents64, directory.get(), listing.data(), listing.size()));
  Message answer;
  for (std::size_t i = 1; i < lines.size(); ++i)
    answer.fds.push_back(TRY(clone_one(directory.get(), lines[i].front(), std::string(lines[i].substr(1)))));
  return answer;
}

std::string question_about(const std::string& directory, const std::vector<MountCloner::Wanted>& wanted) {
  auto question = directory;
  for (const auto& [name, writable] : wanted) {
    question += '\n';
    question += writable ? kWritable : kReadOnly;
    question += name;
  }
  return question;
}

Result<std::vector<UniqueFd>> mounts_in(Message answer, const std::string& directory, std::size_t count) {
  if (answer.fds.size() != count) return fail(EPROTO, "the mounts of " + directory);
  return std::move(answer.fds);
}

}  // namespace

const HelperKind MountCloner::kKind{.name = "nacre-mounts",
                                    .capabilities = kCapabilities,
                                    .calls = kCalls,
                                    .keeps = true,
                                    .answer = clone_all};

Result<std::vector<UniqueFd>> MountCloner::clone(const std::string& directory,
                                                 const std::vector<Wanted>& wanted) {
  auto answer =
      TRY(helper_.ask(question_about(directory, wanted), {}, {.patience = kPatience, .poll = kPoll}));
  return mounts_in(std::move(answer), directory, wanted.size());
}

Result<> MountCloner::begin(const std::string& directory, const std::vector<Wanted>& wanted) {
  directory_ = directory;
  count_ = wanted.size();
  begun_at_ = std::chrono::steady_clock::now();
  return helper_.begin(question_about(directory, wanted), {});
}

Result<std::vector<UniqueFd>> MountCloner::finish() {
  const auto since = std::chrono::steady_clock::now() - begun_at_;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(kPatience - since);
  auto answer = TRY(helper_.finish({.patience = std::max(left, 0ms), .poll = kPoll}));
  return mounts_in(std::move(answer), directory_, count_);
}

}  // namespace nacre::sys
