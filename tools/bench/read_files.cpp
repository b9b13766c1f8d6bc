// SPDX-License-Identifier: Apache-2.0
// bench_read_files WAY ROUNDS COUNT CONTAINERS [--in FOLDER]… [--nacre CGROUP FOLDER] PATH…: how long it
// takes to read each PATH, 8191 bytes at a time; a line "path median p99", in nanoseconds, for each. The WAY
// is
//   open      open, read and close
//   again     read from the start, of a file that stays open
//   parallel  as open, by eight threads at once; the time is that of all, divided by the number of reads
// where reading is until there is nothing more, and with "-short", as in "again-short", until a read(2) does
// not fill the buffer, which is how procps reads meminfo, vmstat, loadavg and uptime.
// There are CONTAINERS readers, which take turns, so that all files are read of the same machine. Each reader
// is the first process of a pid namespace of its own, which is how lxcfs tells containers apart, and in the
// cgroups FOLDER/0, FOLDER/1 and so on. A PATH "nacre:/proc/meminfo" is the file of a container registered
// with nacre-procfs in CGROUP/0 and so on, whose view is mounted in --nacre's FOLDER/0 and so on.
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/control/protocol.h"
#include "base/parse.h"
#include "base/sys/mount.h"
#include "base/unique_fd.h"
#include "tools/bench/timing.h"

namespace {

using nacre::UniqueFd;
using nacre::bench::must;

constexpr int kThreads = 8;

// The nanoseconds of each single reading of a file.
using Times = std::vector<float>;
using Way = void (*)(const std::string& path, int count, Times& times);

float since(std::chrono::steady_clock::time_point start, int readings = 1) {
  const std::chrono::duration<float, std::nano> spent = std::chrono::steady_clock::now() - start;
  return spent.count() / static_cast<float>(readings);
}

UniqueFd open_file(const std::string& path) {
  UniqueFd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  must(file.get() >= 0, path.c_str());
  return file;
}

constexpr std::size_t kBuffer = 8191;  // procps's for meminfo and vmstat

std::size_t read_at(int file, off_t offset, const std::string& path) {
  std::array<char, kBuffer> buffer;
  const auto got = ::pread(file, buffer.data(), buffer.size(), offset);
  must(got >= 0, path.c_str());
  return static_cast<std::size_t>(got);
}

using Read = void (*)(int file, const std::string& path);
void read_to_the_end(int file, const std::string& path) {
  off_t offset = 0;
  while (const auto got = read_at(file, offset, path)) offset += static_cast<off_t>(got);
}
void read_until_short(int file, const std::string& path) {
  off_t offset = 0;
  while (read_at(file, offset, path) == kBuffer) offset += off_t{kBuffer};
}

template <Read read_file>
void read_opened(const std::string& path, int count, Times& times) {
  for (int i = 0; i < count; ++i) {
    const auto start = std::chrono::steady_clock::now();
    read_file(open_file(path).get(), path);
    times.push_back(since(start));
  }
}

template <Read read_file>
void read_again(const std::string& path, int count, Times& times) {
  const auto file = open_file(path);
  read_to_the_end(file.get(), path);
  for (int i = 0; i < count; ++i) {
    const auto start = std::chrono::steady_clock::now();
    read_file(file.get(), path);
    times.push_back(since(start));
  }
}

template <Read read_file>
void read_in_parallel(const std::string& path, int count, Times& times) {
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread)
    threads.emplace_back([&] {
      for (int i = 0; i < count; ++i) read_file(open_file(path).get(), path);
    });
  for (auto& thread : threads) thread.join();
  times.push_back(since(start, kThreads * count));
}

std::optional<Way> way_named(std::string_view name) {
  static const std::map<std::string_view, Way> kWays{
      {"open", read_opened<read_to_the_end>},
      {"again", read_again<read_to_the_end>},
      {"again-short", read_again<read_until_short>},
      {"parallel", read_in_parallel<read_to_the_end>},
      {"parallel-short", read_in_parallel<read_until_short>},
  };
  const auto found = kWays.find(name);
  return found == kWays.end() ? std::nullopt : std::optional(found->second);
}

struct Job {
  Way way = nullptr;
  int rounds = 0;
  int count = 0;
  int containers = 0;
  std::vector<std::string> folders;  // of cgroups
  std::string cgroup;                // of nacre's containers; empty: none is registered
  std::string views;                 // the folder of their views
  std::vector<std::string> paths;
};

std::optional<Job> parse(std::vector<std::string> arguments) {
  if (arguments.size() < 5) return std::nullopt;
  Job job;
  const auto way = way_named(arguments[0]);
  const auto rounds = nacre::parse_int<int>(arguments[1]), count = nacre::parse_int<int>(arguments[2]),
             containers = nacre::parse_int<int>(arguments[3]);
  if (!way || !rounds || !count || !containers) return std::nullopt;
  job.way = *way;
  job.rounds = *rounds;
  job.count = *count;
  job.containers = *containers;
  for (std::size_t i = 4; i < arguments.size(); ++i) {
    if (arguments[i] == "--in" && i + 1 < arguments.size())
      job.folders.push_back(arguments[++i]);
    else if (arguments[i] == "--nacre" && i + 2 < arguments.size()) {
      job.cgroup = arguments[++i];
      job.views = arguments[++i];
    } else
      job.paths.push_back(arguments[i]);
  }
  const bool of_nacre =
      std::ranges::any_of(job.paths, [](const auto& path) { return path.starts_with("nacre:"); });
  if (of_nacre && job.cgroup.empty()) return std::nullopt;
  return job;
}

void enter(const std::string& folder) {
  const UniqueFd file{::open((folder + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC)};
  must(file.get() >= 0 && ::write(file.get(), "0", 1) == 1, folder.c_str());
}

void send(int pipe, const void* data, std::size_t size) {
  for (const auto* rest = static_cast<const char*>(data); size > 0;) {
    const auto written = ::write(pipe, rest, size);
    must(written > 0, "write to a pipe");
    rest += written;
    size -= static_cast<std::size_t>(written);
  }
}

bool receive(int pipe, void* data, std::size_t size) {
  for (auto* rest = static_cast<char*>(data); size > 0;) {
    const auto got = ::read(pipe, rest, size);
    if (got <= 0) return false;
    rest += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

// The process in a container. First it gets the paths, then a byte for each turn.
struct Reader {
  pid_t pid = 0;
  UniqueFd orders, answers;

  [[noreturn]] static void work(const Job& job, int orders, int answers) {
    std::size_t size = 0;
    if (!receive(orders, &size, sizeof(size))) ::_exit(1);
    std::string text(size, '\0');
    if (!receive(orders, text.data(), size)) ::_exit(1);
    const auto paths = nacre::split(text, '\n');
    std::vector<Times> times(paths.size());
    for (char turn; receive(orders, &turn, 1) && turn == 't';) {
      for (std::size_t i = 0; i < paths.size(); ++i) job.way(std::string(paths[i]), job.count, times[i]);
      send(answers, &turn, 1);
    }
    for (const auto& of_path : times) {
      const auto count = of_path.size();
      send(answers, &count, sizeof(count));
      send(answers, of_path.data(), count * sizeof(of_path[0]));
    }
    ::_exit(0);
  }

  static Reader start(const Job& job, int number) {
    int orders[2], answers[2];
    must(::pipe2(orders, O_CLOEXEC) == 0 && ::pipe2(answers, O_CLOEXEC) == 0, "pipe2");
    Reader reader;
    reader.pid = static_cast<pid_t>(::syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0));
    must(reader.pid >= 0, "clone");
    if (reader.pid == 0) {
      ::close(orders[1]);
      ::close(answers[0]);
      // Before Linux 6.2 a cpuset takes away what was asked for.
      cpu_set_t processors;
      must(::sched_getaffinity(0, sizeof(processors), &processors) == 0, "sched_getaffinity");
      for (const auto& folder : job.folders) enter(folder + "/" + std::to_string(number));
      must(::sched_setaffinity(0, sizeof(processors), &processors) == 0, "sched_setaffinity");
      const char ready = 'r';
      send(answers[1], &ready, 1);
      work(job, orders[0], answers[1]);
    }
    ::close(orders[0]);
    ::close(answers[1]);
    reader.orders = UniqueFd{orders[1]};
    reader.answers = UniqueFd{answers[0]};
    reader.wait();  // it is in its cgroups
    return reader;
  }

  void wait() const {
    char byte;
    must(receive(answers.get(), &byte, 1), "a reader");
  }
};

[[noreturn]] void die(const nacre::Error& error) {
  std::fprintf(stderr, "bench_read_files: %s\n", error.message().c_str());
  std::exit(1);
}

// A container's view, mounted in a folder as a runtime mounts it in the container's root.
class View {
 public:
  View(std::string id, std::string folder, const std::vector<nacre::control::ViewMount>& mounts)
      : id_(std::move(id)), folder_(std::move(folder)) {
    for (const auto& [target, mount] : mounts) {
      const auto path = folder_ + target;
      make_mountpoint(path, mount.get());
      if (auto attached = nacre::sys::attach_mount(mount.get(), AT_FDCWD, path.c_str()); !attached)
        die(attached.error());
      mountpoints_.push_back(path);
    }
  }

  const std::string& id() const { return id_; }
  std::string path_of(const std::string& file) const { return folder_ + file; }
  void unmount() const {
    for (const auto& mountpoint : mountpoints_)
      if (auto detached = nacre::sys::detach_mount(mountpoint); !detached) die(detached.error());
  }

 private:
  static void make_mountpoint(const std::string& path, int mount) {
    struct stat status {};
    must(::fstat(mount, &status) == 0, "fstat");
    std::filesystem::create_directories(S_ISDIR(status.st_mode) ? path : path.substr(0, path.rfind('/')));
    if (!S_ISDIR(status.st_mode))
      must(UniqueFd{::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0444)}.get() >= 0, path.c_str());
  }

  std::string id_, folder_;
  std::vector<std::string> mountpoints_;
};

float at(Times& times, double part) {
  const auto place =
      times.begin() + static_cast<std::ptrdiff_t>(static_cast<double>(times.size() - 1) * part);
  std::nth_element(times.begin(), place, times.end());
  return *place;
}

}  // namespace

int main(int argc, char** argv) {
  const auto parsed = parse({argv + 1, argv + argc});
  if (!parsed) {
    std::fputs(
        "usage: bench_read_files open|again|parallel[-short] ROUNDS COUNT CONTAINERS [--in FOLDER]... "
        "[--nacre CGROUP FOLDER] PATH...\n",
        stderr);
    return 2;
  }
  const Job& job = *parsed;
  std::optional<nacre::control::Client> client;
  if (!job.cgroup.empty()) {
    auto connected = nacre::control::Client::connect();
    if (!connected) die(connected.error());
    client.emplace(std::move(*connected));
  }
  std::vector<Reader> readers;
  std::vector<View> views;
  for (int number = 0; number < job.containers; ++number) {
    const auto& reader = readers.emplace_back(Reader::start(job, number));
    const auto folder = "/" + std::to_string(number);
    if (client) {
      const auto id = "bench-" + std::to_string(number);
      const auto added = client->add({.id = id, .init = reader.pid, .cgroup_path = job.cgroup + folder});
      if (!added) die(added.error());
      views.emplace_back(id, job.views + folder, *added);
    }
    std::string paths;
    for (const auto& path : job.paths)
      paths += (paths.empty() ? "" : "\n") +
               (path.starts_with("nacre:") ? views.back().path_of(path.substr(6)) : path);
    const auto size = paths.size();
    send(reader.orders.get(), &size, sizeof(size));
    send(reader.orders.get(), paths.data(), size);
  }
  for (int round = 0; round < job.rounds; ++round)
    for (const auto& reader : readers) {
      send(reader.orders.get(), "t", 1);
      reader.wait();
    }
  std::vector<Times> all(job.paths.size());
  int failed = 0;
  for (auto& reader : readers) {
    send(reader.orders.get(), "e", 1);
    for (auto& times : all) {
      std::size_t count = 0;
      must(receive(reader.answers.get(), &count, sizeof(count)), "a reader");
      times.resize(times.size() + count);
      must(receive(reader.answers.get(), &*(times.end() - static_cast<std::ptrdiff_t>(count)),
                   count * sizeof(times[0])),
           "a reader");
    }
    int status = 0;
    must(::waitpid(reader.pid, &status, 0) == reader.pid, "waitpid");
    if (status != 0) failed = 1;
  }
  for (const auto& view : views) {
    view.unmount();
    static_cast<void>(client->remove(view.id()));
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto median = static_cast<double>(at(all[i], 0.5)), slow = static_cast<double>(at(all[i], 0.99));
    std::printf("%s %.1f %.1f\n", job.paths[i].c_str(), median, slow);
  }
  return failed;
}
