// SPDX-License-Identifier: Apache-2.0
#include "runtime/cgroup/tree.h"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <thread>

#include "base/parse.h"
#include "base/sys/file.h"

namespace nacre::runtime::tree {
namespace {

bool is_gone(const Error& error) { return error.code == ENOENT || error.code == ENODEV; }

Result<> collect(const std::string& directory, std::vector<std::string>& out) {
  const auto opened = sys::open_at(AT_FDCWD, directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!opened) {
    if (is_gone(opened.error())) return {};
    return during("open cgroup " + directory, Result<>(std::unexpected(opened.error())));
  }
  const auto entries = sys::list_directory(opened->get());
  if (!entries) {
    if (is_gone(entries.error())) return {};
    return during("list cgroup " + directory, Result<>(std::unexpected(entries.error())));
  }
  for (const auto& entry : *entries)
    if (entry.type == DT_DIR) TRY(collect(directory + "/" + entry.name, out));
  out.push_back(directory);
  return {};
}

}  // namespace

Result<> check_path(std::string_view path) {
  const auto bad = [&](const char* why) {
    return bad_input("cgroup path \"" + std::string(path) + "\": " + why);
  };
  if (!path.starts_with('/')) return bad("must begin with /");
  if (path == "/") return bad("the root cgroup cannot be a container's");
  for (const auto part : split(path.substr(1), '/'))
    if (part.empty() || part == "." || part == "..") return bad("must not have empty, . or .. parts");
  if (path.ends_with('/')) return bad("must not end with /");
  if (path.find('\n') != std::string_view::npos) return bad("must not have a line break");
  return {};
}

std::vector<std::string> prefixes(std::string_view path) {
  std::vector<std::string> result;
  for (auto end = path.find('/', 1); end != std::string_view::npos; end = path.find('/', end + 1))
    result.emplace_back(path.substr(0, end));
  result.emplace_back(path);
  return result;
}

Result<std::vector<std::string>> descendants(const std::string& directory) {
  std::vector<std::string> result;
  TRY(collect(directory, result));
  return result;
}

Result<std::vector<pid_t>> processes(const std::string& directory) {
  std::vector<pid_t> pids;
  for (const auto& group : TRY(descendants(directory))) {
    const auto text = sys::read_file(group + "/cgroup.procs");
    // EOPNOTSUPP: a threaded cgroup of v2, whose processes the domain above lists.
    if (!text && (is_gone(text.error()) || text.error().code == EOPNOTSUPP)) continue;
    if (!text) return std::unexpected(text.error());
    for (const auto word : split_blank(*text))
      if (const auto pid = parse_int<pid_t>(word)) pids.push_back(*pid);
  }
  return pids;
}

Result<> remove(const std::string& directory, std::chrono::milliseconds patience) {
  Result<> last;
  const bool removed = wait_until(patience, [&] {
    last = {};
    const auto groups = descendants(directory);
    if (!groups) {
      last = std::unexpected(groups.error());
      return true;
    }
    for (const auto& group : *groups)
      if (::rmdir(group.c_str()) != 0 && errno != ENOENT && last)
        last = fail(errno, "remove cgroup " + group);
    // ENOTEMPTY: somebody has made a cgroup in between, or one below was busy.
    return last || (last.error().code != EBUSY && last.error().code != ENOTEMPTY);
  });
  if (!removed && last) return fail(EBUSY, "remove cgroup " + directory);
  return last;
}

bool wait_until(std::chrono::milliseconds patience, const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  std::chrono::microseconds pause{200};
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return condition();
    std::this_thread::sleep_for(pause);
    pause = std::min<std::chrono::microseconds>(pause * 2, std::chrono::milliseconds(20));
  }
  return true;
}

}  // namespace nacre::runtime::tree
