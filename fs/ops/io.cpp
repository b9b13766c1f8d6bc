// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include <cstdint>

#include "base/sys/checked.h"
#include "fs/overlay_fs.h"

namespace nacre::fs {
// The data behind a handle now; the descriptor stays open while the caller uses it.
Result<DataRef> OverlayFs::data_of(const FileHandle& handle) {
  auto& file = *handle.file;
  const std::lock_guard lock(file.mutex);
  if (file.data) return file.data;
  const auto node = TRY(table_.get(handle.inode));
  const auto data = std::make_shared<const UniqueFd>(TRY(open_data(node, false, file.borrowed, file.orphan)));
  file.data = data;
  if (!node.in_upper) keep_some(file);
  return data;
}

Result<DataRef> OverlayFs::read_source(HandleId id) {
  const auto handle = TRY(handles_.get(id));
  reads_.fetch_add(1, std::memory_order_relaxed);
  return data_of(*handle);
}

Result<std::size_t> OverlayFs::read(HandleId id, std::span<char> buffer, std::uint64_t offset) {
  const auto data = TRY(read_source(id));
  std::size_t done = 0;
  while (done < buffer.size()) {
    const auto count = TRY(sys::checked([&] {
      return ::pread(data->get(), buffer.data() + done, buffer.size() - done,
                     static_cast<off_t>(offset + done));
    }));
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

Result<std::size_t> OverlayFs::write(const Caller& caller, HandleId id, std::span<const char> bytes,
                                     std::uint64_t offset) {
  const auto handle = TRY(handles_.get(id));
  writes_.fetch_add(1, std::memory_order_relaxed);
  DataRef data;
  {
    const std::lock_guard lock(handle->file->mutex);
    data = handle->file->data;
    // Our own write does not clear the bits as the caller's would.
    if (handle->file->set_id && !caller.keeps_set_id) {
      TRY(clear_set_id(data->get()));
      handle->file->set_id = false;
    }
  }
  std::size_t done = 0;
  while (done < bytes.size()) {
    const auto count = sys::checked([&] {
      return ::pwrite(data->get(), bytes.data() + done, bytes.size() - done,
                      static_cast<off_t>(offset + done));
    });
    if (!count && done == 0) return std::unexpected(count.error());
    if (!count || *count == 0) break;
    done += static_cast<std::size_t>(*count);
  }
  return done;
}

Result<> OverlayFs::fsync(HandleId id, bool data_only) {
  const auto handle = TRY(handles_.get(id));
  const auto node = TRY(table_.get(handle->inode));
  if (!node.in_upper || !sync_) return {};
  const auto data = TRY(data_of(*handle));
  return sys::succeed([&] { return data_only ? ::fdatasync(data->get()) : ::fsync(data->get()); });
}

Result<> OverlayFs::fallocate(HandleId id, int mode, std::uint64_t offset, std::uint64_t length) {
  const auto handle = TRY(handles_.get(id));
  const auto data = TRY(data_of(*handle));
  return sys::succeed(
      [&] { return ::fallocate(data->get(), mode, static_cast<off_t>(offset), static_cast<off_t>(length)); });
}

Result<std::uint64_t> OverlayFs::lseek(HandleId id, std::uint64_t offset, int whence) {
  const auto handle = TRY(handles_.get(id));
  const auto data = TRY(data_of(*handle));
  return static_cast<std::uint64_t>(
      TRY(sys::checked([&] { return ::lseek(data->get(), static_cast<off_t>(offset), whence); })));
}

Result<std::size_t> OverlayFs::copy_file_range(HandleId from, std::uint64_t from_offset, HandleId to,
                                               std::uint64_t to_offset, std::size_t length) {
  const auto source = TRY(handles_.get(from));
  const auto target = TRY(handles_.get(to));
  const auto in = TRY(data_of(*source));
  const auto out = TRY(data_of(*target));
  auto in_offset = static_cast<off64_t>(from_offset);
  auto out_offset = static_cast<off64_t>(to_offset);
  return static_cast<std::size_t>(TRY(sys::checked(
      [&] { return ::copy_file_range(in->get(), &in_offset, out->get(), &out_offset, length, 0); })));
}

}  // namespace nacre::fs
