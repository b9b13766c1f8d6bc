// SPDX-License-Identifier: Apache-2.0
// bench_read_files WAY ROUNDS COUNT CONTAINERS [--in FOLDER]… [--nacre CGROUP] PATH…: how long it takes to
// read each PATH; a line "path median p99", in nanoseconds, for each. The WAY is
//   open      open, read to the end and close
//   again     read from the start, of a file that stays open
//   parallel  as open, by eight threads at once; the time is that of all, divided by the number of reads
// There are CONTAINERS readers, which take turns, so that all files are read of the same machine. Each reader
// is the first process of a pid namespace of its own, which is how lxcfs tells containers apart, and in the
// cgroups FOLDER/0, FOLDER/1 and so on. A PATH "nacre:/proc/meminfo" is the file that nacre-procfs answers
// with for a container registered in CGROUP/0 and so on.
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/control/protocol.h"
#include "base/parse.h"
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

void read_to_the_end(int file, const std::string& path) {
  std::array<char, 65536> buffer;
  for (off_t offset = 0;;) {
    const auto got = ::pread(file, buffer.data(), buffer.size(), offset);
    must(got >= 0, path.c_str());
    if (got == 0) return;
    offset += got;
  }
}

void read_once(const std::string& path) { read_to_the_end(open_file(path).get(), path); }

void read_opened(const std::string& path, int count, Times& times) {
  for (int i = 0; i < count; ++i) {
    const auto start = std::chrono::steady_clock::now();
    read_once(path);
    times.push_back(since(start));
  }
}

void read_again(const std::string& path, int count, Times& times) {
  const auto file = open_file(path);
  read_to_the_end(file.get(), path);
  for (int i = 0; i < count; ++i) {
    const auto start = std::chrono::steady_clock::now();
    read_to_the_end(file.get(), path);
    times.push_back(since(start));
  }
}

void read_in_parallel(const std::string& path, int count, Times& times) {
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread)
    threads.emplace_back([&] {
      for (int i = 0; i < count; ++i) read_once(path);
    });
  for (auto& thread : threads) thread.join();
  times.push_back(since(start, kThreads * count));
}

std::optional<Way> way_named(std::string_view name) {
  if (name == "open") return read_opened;
  if (name == "again") return read_again;
  if (name == "parallel") return read_in_parallel;
  return std::nullopt;
}

struct Job {
  Way way = nullptr;
  int rounds = 0;
  int count = 0;
  int containers = 0;
  std::vector<std::string> folders;  // of cgroups
  std::string cgroup;                // of nacre's containers; empty: none is registered
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
    else if (arguments[i] == "--nacre" && i + 1 < arguments.size())
      job.cgroup = arguments[++i];
    else
      job.paths.push_back(arguments[i]);
  }
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

// The daemon's files by their place in the container; the mounts stay open in this process.
struct View {
  std::string id;
  std::vector<nacre::control::ViewMount> mounts;

  std::string path_of(const std::string& wanted) const {
    const auto self = "/proc/" + std::to_string(::getpid()) + "/fd/";
    for (const auto& [target, mount] : mounts) {
      if (wanted == target) return self + std::to_string(mount.get());
      if (wanted.starts_with(target + "/"))
        return self + std::to_string(mount.get()) + wanted.substr(target.size());
    }
    return wanted;
  }
};

[[noreturn]] void die(const nacre::Error& error) {
  std::fprintf(stderr, "nacre-procfs: %s\n", error.message().c_str());
  std::exit(1);
}

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
        "usage: bench_read_files open|again|parallel ROUNDS COUNT CONTAINERS [--in FOLDER]... "
        "[--nacre CGROUP] PATH...\n",
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
    View view{"bench-" + std::to_string(number), {}};
    if (client) {
      auto added = client->add(
          {.id = view.id, .init = reader.pid, .cgroup_path = job.cgroup + "/" + std::to_string(number)});
      if (!added) die(added.error());
      view.mounts = std::move(*added);
    }
    std::string paths;
    for (const auto& path : job.paths)
      paths +=
          (paths.empty() ? "" : "\n") + (path.starts_with("nacre:") ? view.path_of(path.substr(6)) : path);
    const auto size = paths.size();
    send(reader.orders.get(), &size, sizeof(size));
    send(reader.orders.get(), paths.data(), size);
    views.push_back(std::move(view));
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
  for (const auto& view : views)
    if (client) static_cast<void>(client->remove(view.id));
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto median = static_cast<double>(at(all[i], 0.5)), slow = static_cast<double>(at(all[i], 0.99));
    std::printf("%s %.1f %.1f\n", job.paths[i].c_str(), median, slow);
  }
  return failed;
}
