// SPDX-License-Identifier: Apache-2.0
// bench_fs_ops DIR FILES: times file operations in DIR, which holds dir/f0 … dir/f<FILES-1> of
// 4 KiB and a file `big` of at least 64 MiB. Prints a line "operation nanoseconds" each, per
// operation or, for bulk data, per MiB. Changes DIR: run it once per fresh mount.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

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

constexpr std::size_t kMiB = 1 << 20;
constexpr int kBulk = 64;

class Bench {
 public:
  Bench(std::string root, int files) : root_(std::move(root)), files_(files) {}

  void run() {
    metadata();
    data();
    changes();
  }

 private:
  std::string lower(int i) const { return root_ + "/dir/f" + std::to_string(i); }
  std::string fresh(int i) const { return root_ + "/new/f" + std::to_string(i); }

  void row(const char* name, int count, const std::function<void(int)>& action) const {
    std::printf("%s %.1f\n", name, time_each(count, action));
    std::fflush(stdout);
  }

  void metadata() const {
    struct stat attributes;
    const auto stat_one = [&](int i) { must(::stat(lower(i).c_str(), &attributes) == 0, "stat"); };
    row("stat, first time", files_, stat_one);
    row("stat, again", files_, stat_one);
    row("stat of a missing name", files_,
        [&](int i) { ::stat((lower(i) + "-missing").c_str(), &attributes); });
    row("list a directory of 1000", 20, [&](int) {
      DIR* const dir = ::opendir((root_ + "/dir").c_str());
      must(dir != nullptr, "opendir");
      int names = 0;
      while (::readdir(dir) != nullptr) ++names;
      ::closedir(dir);
      must(names == files_ + 2, "readdir: wrong number of names");
    });
  }

  void data() const {
    std::vector<char> buffer(kMiB);
    const auto read_small = [&](int i) {
      const UniqueFd file{::open(lower(i).c_str(), O_RDONLY | O_CLOEXEC)};
      must(::read(file.get(), buffer.data(), 4096) == 4096, "read");
    };
    row("open, read 4 KiB, close: first time", files_, read_small);
    row("open, read 4 KiB, close: again", files_, read_small);

    const UniqueFd big{::open((root_ + "/big").c_str(), O_RDONLY | O_CLOEXEC)};
    const auto read_mib = [&](int i) {
      must(
          ::pread(big.get(), buffer.data(), kMiB, static_cast<off_t>(kMiB) * i) == static_cast<ssize_t>(kMiB),
          "pread");
    };
    row("read in sequence: first time (per MiB)", kBulk, read_mib);
    row("read in sequence: again (per MiB)", kBulk, read_mib);
    std::minstd_rand random(1);
    row("read 4 KiB at random", 4000, [&](int) {
      const auto block = static_cast<off_t>(random() % (kBulk * 256));
      must(::pread(big.get(), buffer.data(), 4096, block * 4096) == 4096, "pread");
    });

    const UniqueFd out{::open((root_ + "/written").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)};
    row("write in sequence (per MiB)", kBulk,
        [&](int) { must(::write(out.get(), buffer.data(), kMiB) == static_cast<ssize_t>(kMiB), "write"); });
    row("write 4 KiB at random", 4000, [&](int) {
      const auto block = static_cast<off_t>(random() % (kBulk * 256));
      must(::pwrite(out.get(), buffer.data(), 4096, block * 4096) == 4096, "pwrite");
    });
  }

  void changes() const {
    must(::mkdir((root_ + "/new").c_str(), 0755) == 0, "mkdir");
    row("create an empty file", files_, [&](int i) {
      const UniqueFd file{::open(fresh(i).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)};
      must(file.get() >= 0, "create");
    });
    row("rename it", files_,
        [&](int i) { must(::rename(fresh(i).c_str(), (fresh(i) + "r").c_str()) == 0, "rename"); });
    row("unlink it", files_, [&](int i) { must(::unlink((fresh(i) + "r").c_str()) == 0, "unlink"); });
    row("mkdir", files_, [&](int i) { must(::mkdir(fresh(i).c_str(), 0755) == 0, "mkdir"); });
    row("rmdir", files_, [&](int i) { must(::rmdir(fresh(i).c_str()) == 0, "rmdir"); });
    // The rest of the lower files: first half copied up by a byte, second half hidden.
    row("first write to a lower file of 4 KiB", files_ / 2, [&](int i) {
      const UniqueFd file{::open(lower(i).c_str(), O_WRONLY | O_CLOEXEC)};
      must(::write(file.get(), "x", 1) == 1, "write to a lower file");
    });
    row("unlink a lower file", files_ / 2,
        [&](int i) { must(::unlink(lower(files_ / 2 + i).c_str()) == 0, "unlink a lower file"); });
  }

  std::string root_;
  int files_;
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
