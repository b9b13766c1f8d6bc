// SPDX-License-Identifier: Apache-2.0
// bench_read_files ROUNDS COUNT [--nacre CGROUP] PATH…: the median time of open, read to the end
// and close of each PATH, in nanoseconds, a line "path nanoseconds" each. In every round each
// file is read COUNT times, so that all of them see the same machine. The reader is the first
// process of a pid namespace of its own, in the caller's cgroups: that is how lxcfs tells
// containers apart. A PATH "nacre:/proc/meminfo" is the file that nacre-procfs answers with for
// a container registered in CGROUP.
#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "base/control/protocol.h"
#include "base/parse.h"
#include "base/unique_fd.h"
#include "tools/bench/timing.h"

namespace {

using nacre::UniqueFd;
using nacre::bench::must;

struct Target {
  std::string name;  // as on the command line
  std::string path;  // what to open
  std::vector<double> times;
};

void read_once(const std::string& path) {
  std::array<char, 65536> buffer;
  const UniqueFd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  must(file.get() >= 0, path.c_str());
  for (;;) {
    const auto got = ::read(file.get(), buffer.data(), buffer.size());
    must(got >= 0, path.c_str());
    if (got == 0) return;
  }
}

[[noreturn]] void measure(std::vector<Target> targets, int rounds, int count) {
  for (int round = 0; round < rounds; ++round)
    for (auto& target : targets)
      target.times.push_back(nacre::bench::time_each(count, [&](int) { read_once(target.path); }));
  for (auto& target : targets) {
    const auto middle = target.times.begin() + static_cast<std::ptrdiff_t>(target.times.size() / 2);
    std::nth_element(target.times.begin(), middle, target.times.end());
    std::printf("%s %.1f\n", target.name.c_str(), *middle);
  }
  std::fflush(stdout);
  ::_exit(0);
}

// The daemon's files by their place in the container; the mounts stay open in this process.
struct View {
  std::optional<nacre::control::Client> client;
  std::vector<nacre::control::ViewMount> mounts;

  void open(pid_t init, const std::string& cgroup) {
    auto connected = nacre::control::Client::connect();
    if (!connected) die(connected.error());
    client.emplace(std::move(*connected));
    auto added = client->add({.id = "bench", .init = init, .cgroup_path = cgroup});
    if (!added) die(added.error());
    mounts = std::move(*added);
  }

  std::string path_of(const std::string& wanted) const {
    const auto self = "/proc/" + std::to_string(::getpid()) + "/fd/";
    for (const auto& [target, mount] : mounts) {
      if (wanted == target) return self + std::to_string(mount.get());
      if (wanted.starts_with(target + "/"))
        return self + std::to_string(mount.get()) + wanted.substr(target.size());
    }
    return wanted;
  }

  [[noreturn]] static void die(const nacre::Error& error) {
    std::fprintf(stderr, "nacre-procfs: %s\n", error.message().c_str());
    std::exit(1);
  }
};

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  const auto rounds = arguments.size() > 2 ? nacre::parse_int<int>(arguments[0]) : std::nullopt;
  const auto count = arguments.size() > 2 ? nacre::parse_int<int>(arguments[1]) : std::nullopt;
  if (!rounds || !count) {
    std::fputs("usage: bench_read_files ROUNDS COUNT [--nacre CGROUP] PATH...\n", stderr);
    return 2;
  }
  arguments.erase(arguments.begin(), arguments.begin() + 2);
  std::optional<std::string> cgroup;
  if (arguments[0] == "--nacre" && arguments.size() > 1) {
    cgroup = arguments[1];
    arguments.erase(arguments.begin(), arguments.begin() + 2);
  }

  // The child waits until its files are there: they need its pid.
  int gate[2];
  must(::pipe2(gate, O_CLOEXEC) == 0, "pipe2");
  must(::unshare(CLONE_NEWPID) == 0, "unshare");
  const auto child = ::fork();
  must(child >= 0, "fork");
  if (child == 0) {
    std::string paths;
    char byte;
    ::close(gate[1]);
    while (::read(gate[0], &byte, 1) == 1) paths += byte;
    std::vector<Target> targets;
    const auto lines = nacre::split(paths, '\n');
    for (std::size_t i = 0; i < arguments.size() && i < lines.size(); ++i)
      targets.push_back({arguments[i], std::string(lines[i]), {}});
    if (targets.size() != arguments.size()) ::_exit(1);
    measure(std::move(targets), *rounds, *count);
  }
  View view;
  if (cgroup) view.open(child, *cgroup);
  std::string paths;
  for (const auto& name : arguments)
    paths += (name.starts_with("nacre:") ? view.path_of(name.substr(6)) : name) + '\n';
  must(::write(gate[1], paths.data(), paths.size()) == static_cast<ssize_t>(paths.size()), "write");
  ::close(gate[1]);
  int status = 0;
  must(::waitpid(child, &status, 0) == child, "waitpid");
  if (view.client) (void)view.client->remove("bench");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
