// SPDX-License-Identifier: Apache-2.0
#include "fs/layer/data_copy.h"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "base/sys/checked.h"

namespace nacre::fs {
namespace {

using sys::checked;

// One extent that holds data: copy_file_range(2), else by read and write.
Result<> copy_extent(int from, int to, std::uint64_t start, std::uint64_t end) {
  constexpr std::uint64_t kChunk = 8u << 20;
  while (start < end) {
    off64_t in = static_cast<off64_t>(start);
    off64_t out = in;
    const auto copied = ::copy_file_range(from, &in, to, &out, std::min(end - start, kChunk), 0);
    if (copied <= 0) break;
    start += static_cast<std::uint64_t>(copied);
  }
  std::vector<char> buffer(start < end ? std::min<std::uint64_t>(end - start, 256 * 1024) : 0);
  while (start < end) {
    const auto want = std::min<std::uint64_t>(end - start, buffer.size());
    const auto count =
        TRY(checked([&] { return ::pread(from, buffer.data(), want, static_cast<off_t>(start)); }));
    if (count == 0) return {};  // it became shorter while we copied
    for (ssize_t done = 0; done < count;)
      done += TRY(checked([&] {
        return ::pwrite(to, buffer.data() + done, static_cast<std::size_t>(count - done),
                        static_cast<off_t>(start) + done);
      }));
    start += static_cast<std::uint64_t>(count);
  }
  return {};
}

}  // namespace

Result<> copy_file_data(int from, int to, std::uint64_t size) {
  if (size == 0) return {};
  struct stat st {};
  TRY(sys::succeed([&] { return ::fstat(from, &st); }));
  if (static_cast<std::uint64_t>(st.st_size) <= size && ::ioctl(to, FICLONE, from) == 0) return {};

  std::uint64_t at = 0;
  while (at < size) {
    const off_t data = ::lseek(from, static_cast<off_t>(at), SEEK_DATA);
    if (data < 0 && errno == ENXIO) break;  // only a hole is left
    const off_t start = data < 0 ? static_cast<off_t>(at) : data;
    if (static_cast<std::uint64_t>(start) >= size) break;
    const off_t hole = data < 0 ? -1 : ::lseek(from, start, SEEK_HOLE);
    const auto end = hole < 0 ? size : std::min(size, static_cast<std::uint64_t>(hole));
    TRY(copy_extent(from, to, static_cast<std::uint64_t>(start), end));
    at = end;
  }
  return sys::succeed([&] { return ::ftruncate(to, static_cast<off_t>(size)); });
}

}  // namespace nacre::fs
