// SPDX-License-Identifier: Apache-2.0
// bench_floor_fs MOUNTPOINT: a file system of one file, "file", of which each open and each read is answered
// at once with the same text. It is served as nacre-procfs serves: what a file of its costs more than this
// one is what making the text costs.
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <string>

#include "base/fuse/session.h"

namespace {

constexpr fuse_ino_t kFile = 2;
constexpr double kForever = 1e6;  // seconds
constexpr std::size_t kSize = 1400;

struct stat attributes(fuse_ino_t ino) {
  struct stat attributes {};
  attributes.st_ino = ino;
  attributes.st_mode = ino == FUSE_ROOT_ID ? S_IFDIR | 0555 : S_IFREG | 0444;
  attributes.st_nlink = 1;
  attributes.st_size = 4096;
  return attributes;
}

void op_lookup(fuse_req_t req, fuse_ino_t, const char* name) {
  if (std::strcmp(name, "file") != 0) {
    fuse_reply_err(req, ENOENT);
    return;
  }
  fuse_entry_param entry{};
  entry.ino = kFile;
  entry.attr = attributes(kFile);
  entry.attr_timeout = entry.entry_timeout = kForever;
  fuse_reply_entry(req, &entry);
}

void op_getattr(fuse_req_t req, fuse_ino_t ino, fuse_file_info*) {
  const auto found = attributes(ino);
  fuse_reply_attr(req, &found, kForever);
}

void op_open(fuse_req_t req, fuse_ino_t, fuse_file_info* info) {
  info->direct_io = 1;
  info->noflush = 1;
  fuse_reply_open(req, info);
}

void op_read(fuse_req_t req, fuse_ino_t, std::size_t size, off_t offset, fuse_file_info*) {
  static const std::string text(kSize, 'x');
  const auto start = std::min(static_cast<std::size_t>(offset), text.size());
  fuse_reply_buf(req, text.data() + start, std::min(size, text.size() - start));
}

void op_release(fuse_req_t req, fuse_ino_t, fuse_file_info*) { fuse_reply_err(req, 0); }

nacre::Result<> serve(const char* mountpoint) {
  fuse_lowlevel_ops ops{};
  ops.lookup = op_lookup;
  ops.getattr = op_getattr;
  ops.open = op_open;
  ops.read = op_read;
  ops.release = op_release;
  auto session = TRY(nacre::fuse::Session::create("bench_floor_fs", ops, nullptr, {"allow_other"}));
  TRY(session.mount(mountpoint));
  return session.serve(
      {.threads = 4, .poll = std::chrono::microseconds(50), .patience = std::chrono::milliseconds(20)});
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: bench_floor_fs MOUNTPOINT\n", stderr);
    return 2;
  }
  nacre::fuse::block_signals();
  const auto served = serve(argv[1]);
  if (!served) std::fprintf(stderr, "bench_floor_fs: %s\n", served.error().message().c_str());
  return served ? 0 : 1;
}
