// SPDX-License-Identifier: Apache-2.0
// bench_fs_ops DIR FILES: times file operations in DIR, which holds dir/f0 … dir/f<FILES-1> of
// 4 KiB, full directories full0 … full3, a file `big` of at least 64 MiB and perhaps a larger
// one, `huge`. Prints a line "operation nanoseconds" each, per operation or, for bulk data, per
// MiB. Before each it waits for a line of standard input, or its end, so that several of us
// can take turns on one machine. Changes DIR: run it once per fresh mount.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "base/parse.h"
#include "base/unique_fd.h"
#include "tools/bench/timing.h"

namespace {

using nacre::UniqueFd;
using nacre::bench::must;
using nacre::bench::time_each;

constexpr std::size_t kBlock = 4096;
constexpr std::size_t kMiB = 1 << 20;
constexpr int kBulk = 64;
constexpr int kRandom = 4000;
constexpr int kFullDirs = 4;
constexpr int kStretches = 20;

void wait_for_turn() {
  for (int byte = std::getchar(); byte != '\n' && byte != EOF;) byte = std::getchar();
}

// The median of many short stretches: in most of them nobody else wants the processors.
double typical(int count, const std::function<void(int)>& action) {
  const int stretch = std::max(1, count / kStretches);
  std::vector<double> times;
  for (int first = 0; first < count; first += stretch)
    times.push_back(time_each(std::min(stretch, count - first), [&](int i) { action(first + i); }));
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

void row(const std::string& name, int count, const std::function<void(int)>& action) {
  wait_for_turn();
  std::printf("%s %.1f\n", name.c_str(), typical(count, action));
  std::fflush(stdout);
}

class Bench {
 public:
  Bench(std::string root, int files) : root_(std::move(root)), files_(files), buffer_(kMiB, 'x') {}

  void run() {
    names();
    listings();
    lower_data();
    upper_data();
    copied_data();
    new_files();
    directories();
    changes_below();
  }

 private:
  std::string lower(int i) const { return root_ + "/dir/f" + std::to_string(i); }
  std::string fresh(int i) const { return root_ + "/new/f" + std::to_string(i); }
  std::string moved(int i) const { return fresh(i) + "r"; }

  static UniqueFd opened(const std::string& path, int flags) {
    UniqueFd file{::open(path.c_str(), flags | O_CLOEXEC, 0644)};
    must(file.get() >= 0, path.c_str());
    return file;
  }

  void names() const {
    struct stat attributes;
    const auto stat_one = [&](int i) { must(::stat(lower(i).c_str(), &attributes) == 0, "stat"); };
    const auto stat_missing = [&](int i) {
      must(::stat((lower(i) + "-missing").c_str(), &attributes) != 0, "stat of a missing name");
    };
    row("stat, first time", files_, stat_one);
    row("stat, again", files_, stat_one);
    row("stat of a missing name", files_, stat_missing);
    row("stat of a missing name, again", files_, stat_missing);
  }

  void listings() const {
    const auto list = [&](int i) {
      DIR* const dir = ::opendir((root_ + "/full" + std::to_string(i % kFullDirs)).c_str());
      must(dir != nullptr, "opendir");
      int names = 0;
      while (::readdir(dir) != nullptr) ++names;
      ::closedir(dir);
      must(names > 2, "readdir: no names");
    };
    row("list a full directory, first time", kFullDirs, list);
    row("list a full directory, again", 5 * kFullDirs, list);
  }

  void read_small(const std::string& path) {
    const auto file = opened(path, O_RDONLY);
    must(::read(file.get(), buffer_.data(), kBlock) == kBlock, "read");
  }
  void sequence(int fd, bool writing, int i) {
    const auto at = static_cast<off_t>(kMiB) * i;
    const auto count =
        writing ? ::pwrite(fd, buffer_.data(), kMiB, at) : ::pread(fd, buffer_.data(), kMiB, at);
    must(count == static_cast<ssize_t>(kMiB), "a MiB in sequence");
  }
  void anywhere(int fd, bool writing) {
    const auto at = static_cast<off_t>(random_() % (kBulk * (kMiB / kBlock)) * kBlock);
    const auto count =
        writing ? ::pwrite(fd, buffer_.data(), kBlock, at) : ::pread(fd, buffer_.data(), kBlock, at);
    must(count == static_cast<ssize_t>(kBlock), "a block at random");
  }
  // Everything is in memory by now.
  void warm(int fd, bool writing, const std::string& what) {
    const std::string verb = writing ? "write" : "read";
    row(verb + " in sequence, " + what + ", again (per MiB)", kBulk,
        [&](int i) { sequence(fd, writing, i); });
    row(verb + " 4 KiB at random, " + what, kRandom, [&](int) { anywhere(fd, writing); });
  }

  void lower_data() {
    row("open, read 4 KiB, close, lower file, first time", files_, [&](int i) { read_small(lower(i)); });
    row("open, read 4 KiB, close, lower file, again", files_, [&](int i) { read_small(lower(i)); });
    const auto big = opened(root_ + "/big", O_RDONLY);
    row("read in sequence, lower file, first time (per MiB)", kBulk,
        [&](int i) { sequence(big.get(), false, i); });
    warm(big.get(), false, "lower file");
  }

  void upper_data() {
    const auto out = opened(root_ + "/written", O_RDWR | O_CREAT);
    row("write in sequence, upper file, first time (per MiB)", kBulk,
        [&](int i) { sequence(out.get(), true, i); });
    warm(out.get(), true, "upper file");
    // What a mount did not pass through it may not have in its cache yet.
    for (int i = 0; i < kBulk; ++i) sequence(out.get(), false, i);
    warm(out.get(), false, "upper file");
  }

  void copied_data() {
    row("first write to a lower file of 64 MiB", 1, [&](int) {
      const auto file = opened(root_ + "/big", O_WRONLY);
      must(::write(file.get(), "x", 1) == 1, "write to a lower file");
    });
    const auto big = opened(root_ + "/big", O_RDWR);
    warm(big.get(), true, "copied-up file");
    for (int i = 0; i < kBulk; ++i) sequence(big.get(), false, i);
    warm(big.get(), false, "copied-up file");
  }

  void new_files() {
    for (const auto* name : {"/empty", "/new"}) must(::mkdir((root_ + name).c_str(), 0755) == 0, "mkdir");
    row("create an empty file", files_,
        [&](int i) { opened(root_ + "/empty/f" + std::to_string(i), O_WRONLY | O_CREAT | O_EXCL); });
    row("create, write 4 KiB, close", files_, [&](int i) {
      const auto file = opened(fresh(i), O_WRONLY | O_CREAT | O_EXCL);
      must(::write(file.get(), buffer_.data(), kBlock) == kBlock, "write");
    });
    struct stat attributes;
    row("stat after that", files_, [&](int i) {
      must(::stat(fresh(i).c_str(), &attributes) == 0 && attributes.st_size == kBlock, "stat after write");
    });
    {
      const auto file = opened(fresh(0), O_WRONLY);
      row("write 4 KiB and stat", files_, [&](int) {
        must(::pwrite(file.get(), buffer_.data(), kBlock, 0) == kBlock, "write");
        must(::stat(fresh(0).c_str(), &attributes) == 0, "stat after write");
      });
    }
    row("open, read 4 KiB, close, upper file", files_, [&](int i) { read_small(fresh(i)); });
    row("rename", files_, [&](int i) { must(::rename(fresh(i).c_str(), moved(i).c_str()) == 0, "rename"); });
    row("unlink", files_, [&](int i) { must(::unlink(moved(i).c_str()) == 0, "unlink"); });
  }

  void directories() const {
    row("mkdir", files_, [&](int i) { must(::mkdir(fresh(i).c_str(), 0755) == 0, "mkdir"); });
    row("rmdir", files_, [&](int i) { must(::rmdir(fresh(i).c_str()) == 0, "rmdir"); });
  }

  // The lower files: the first half is copied up by a byte, the second half hidden.
  void changes_below() const {
    row("first write to a lower file of 4 KiB", files_ / 2, [&](int i) {
      const auto file = opened(lower(i), O_WRONLY);
      must(::write(file.get(), "x", 1) == 1, "write to a lower file");
    });
    row("unlink a lower file", files_ / 2,
        [&](int i) { must(::unlink(lower(files_ / 2 + i).c_str()) == 0, "unlink a lower file"); });
    const auto huge = root_ + "/huge";
    struct stat attributes;
    if (::stat(huge.c_str(), &attributes) != 0) return;
    row("unlink a lower file of " + std::to_string(static_cast<std::size_t>(attributes.st_size) / kMiB) +
            " MiB",
        1, [&](int) { must(::unlink(huge.c_str()) == 0, "unlink a large lower file"); });
  }

  std::string root_;
  int files_;
  std::vector<char> buffer_;
  std::minstd_rand random_{1};
};

}  // namespace

int main(int argc, char** argv) {
  const auto files = argc == 3 ? nacre::parse_int<int>(argv[2]) : std::nullopt;
  if (!files || *files < 2) {
    std::fputs("usage: bench_fs_ops DIR FILES\n", stderr);
    return 2;
  }
  Bench(argv[1], *files).run();
  return 0;
}
