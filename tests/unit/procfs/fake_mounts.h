// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <poll.h>
#include <sys/syscall.h>

#include <array>
#include <string>

#include "base/parse.h"
#include "base/sys/file.h"
#include "base/sys/mount_cloner.h"
#include "procfs/view_mounts.h"

namespace nacre::procfs {

// Instead of a mount a file with the path of what would have been cloned. There is nothing in
// "containers/gone".
inline Result<sys::Message> name_all(const sys::Message& question, int /*kept*/) {
  const auto lines = split(question.text, '\n');
  const std::string directory(lines.front());
  if (directory == "containers/gone") return fail(ENOENT, directory);
  sys::Message answer;
  for (std::size_t i = 1; i < lines.size(); ++i)
    answer.fds.push_back(TRY(sys::memory_file("mount", directory + "/" + std::string(lines[i].substr(1)))));
  return answer;
}

// Until there is nothing left to clone ahead; how often an answer came.
inline int clone_ahead(ViewMounts& mounts) {
  int times = 0;
  for (mounts.work_ahead(); mounts.descriptor() >= 0; mounts.work_ahead()) {
    pollfd event{mounts.descriptor(), POLLIN, 0};
    if (::poll(&event, 1, 10'000) != 1) return -1;
    ++times;
  }
  return times;
}

inline constexpr std::array kFakeMountCalls{SYS_memfd_create};
inline const sys::HelperKind kFakeMounts{
    .name = "fake-mounts", .capabilities = {}, .calls = kFakeMountCalls, .keeps = false, .answer = name_all};

}  // namespace nacre::procfs
