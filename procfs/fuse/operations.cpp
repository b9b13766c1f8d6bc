// SPDX-License-Identifier: Apache-2.0
#include "procfs/fuse/operations.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/fuse/guarded.h"
#include "base/fuse/raw_request.h"
#include "procfs/file_table.h"

namespace nacre::procfs {
namespace {

constexpr double kForever = 1e6;  // seconds
// Files of no size are taken for empty, and programs that trust the size read no further than that.
constexpr std::size_t kPage = 4096;
// Of a long file that was not looked at yet.
constexpr std::size_t kEnough = 1u << 20;
// What a long text may grow by from one moment to the next.
constexpr std::size_t kSlack = 1024;

FileSystem& file_system(fuse_req_t req) { return *static_cast<FileSystem*>(fuse_req_userdata(req)); }
pid_t caller_of(fuse_req_t req) { return fuse_req_ctx(req)->pid; }

double seconds(Lasting lasting) {
  switch (lasting) {
    case Lasting::forever: return kForever;
    case Lasting::second: return 1.0;
    case Lasting::never: return 0.0;
  }
  return 0.0;
}

struct stat attributes(const FileSystem& fs, NodeId id, bool directory) {
  struct stat attributes {};
  attributes.st_ino = id.raw();
  attributes.st_mode = directory ? S_IFDIR | 0555 : S_IFREG | (fs.tree.is_writable(id) ? 0666 : 0444);
  attributes.st_nlink = directory ? 2 : 1;
  attributes.st_size = directory ? 0 : fs.tree.is_long(id) ? kEnough : kPage;
  attributes.st_blksize = kPage;
  attributes.st_atime = attributes.st_mtime = attributes.st_ctime = fs.born;
  return attributes;
}

// Runs an operation; `reply` sends its value, an error is sent here.
template <typename Operation, typename Reply>
void answer(fuse_req_t req, Operation operation, Reply reply) {
  auto result = fuse::guarded([&] { return operation(file_system(req)); });
  if (result) {
    reply(*result);
  } else {
    fuse_reply_err(req, result.error().code > 0 ? result.error().code : EIO);
  }
}

fuse_entry_param entry_for(const FileSystem& fs, const TreeEntry& found) {
  fuse_entry_param entry{};
  entry.ino = found.id.raw();
  entry.generation = 0;
  entry.attr = attributes(fs, found.id, found.directory);
  entry.attr_timeout = fs.tree.is_long(found.id) ? 0.0 : kForever;
  entry.entry_timeout = seconds(found.lasting);
  return entry;
}

void op_lookup(fuse_req_t req, fuse_ino_t parent, const char* name) {
  answer(
      req, [&](FileSystem& fs) { return fs.tree.lookup(NodeId::from(parent), name, caller_of(req)); },
      [&](const TreeEntry& found) {
        const auto entry = entry_for(file_system(req), found);
        fuse_reply_entry(req, &entry);
      });
}

// Not much more than it has: tail(1) looks for the end within a block or two.
std::size_t size_of_long(FileSystem& fs, NodeId id, pid_t caller) {
  const auto file = fs.tree.file(id, caller);
  const auto text = file ? file->row->render(*file->container, file->instance) : fail(ESTALE);
  return text ? (text->size() + kSlack + kPage - 1) / kPage * kPage : kEnough;
}

void op_getattr(fuse_req_t req, fuse_ino_t ino, fuse_file_info*) {
  const auto id = NodeId::from(ino);
  answer(
      req,
      [&](FileSystem & fs) -> Result<struct stat> {
        if (!fs.tree.exists(id)) return fail(ESTALE);
        auto found = attributes(fs, id, fs.tree.is_directory(id));
        if (fs.tree.is_long(id)) found.st_size = static_cast<off_t>(size_of_long(fs, id, caller_of(req)));
        return found;
      },
      [&](const struct stat& found) {
        // CPUs come and go; who asks for the shared files may be another one each time.
        const auto lasting = !file_system(req).tree.is_long(id) ? Lasting::forever
                             : id.container == 0                ? Lasting::never
                                                                : Lasting::second;
        fuse_reply_attr(req, &found, seconds(lasting));
      });
}

void op_open(fuse_req_t req, fuse_ino_t ino, fuse_file_info* info) {
  answer(
      req, [&](FileSystem& fs) { return fs.files.open(NodeId::from(ino), caller_of(req)); },
      [&](std::uint64_t handle) {
        info->fh = handle;
        info->direct_io = 1;  // the size is not known, and no page may outlive the moment
        info->noflush = 1;
        // An interrupted open never reaches its process, so nobody would release it.
        if (fuse_reply_open(req, info) == -ENOENT) file_system(req).files.release(handle);
      });
}

OpenFiles::Handle handle_of(fuse_req_t req, fuse_ino_t ino, const fuse_file_info& info) {
  return {info.fh, NodeId::from(ino), caller_of(req)};
}

// Since Linux 6.5 sendfile(2) and splice(2) read through the page cache, whatever open() was answered. What
// one caller is told must not be told to the next, and a text that is longer than the last one would be cut:
// they are refused, and programs read(2) instead. Only reads for the page cache have no lock owner.
bool is_for_page_cache() {
  const auto request = fuse::RawRequest::current().body<fuse_read_in>();
  return request && (request->read_flags & FUSE_READ_LOCKOWNER) == 0;
}

void op_read(fuse_req_t req, fuse_ino_t ino, std::size_t size, off_t offset, fuse_file_info* info) {
  if (is_for_page_cache()) {
    fuse_reply_err(req, EINVAL);
    return;
  }
  const auto start = static_cast<std::uint64_t>(offset);
  answer(
      req, [&](FileSystem& fs) { return fs.files.text(handle_of(req, ino, *info), start); },
      [&](const std::shared_ptr<const std::string>& text) {
        if (start >= text->size()) {
          fuse_reply_buf(req, nullptr, 0);
          return;
        }
        fuse_reply_buf(req, text->data() + start,
                       std::min(size, text->size() - static_cast<std::size_t>(start)));
      });
}

void op_write(fuse_req_t req, fuse_ino_t ino, const char* data, std::size_t size, off_t,
              fuse_file_info* info) {
  answer(
      req,
      [&](FileSystem& fs) -> Result<std::size_t> {
        TRY(fs.files.write(handle_of(req, ino, *info), {data, size}));
        return size;
      },
      [&](std::size_t written) { fuse_reply_write(req, written); });
}

// What wakes a caller of poll(2) is the kernel's to keep until it is used or dropped.
std::function<void()> waking(fuse_pollhandle* handle) {
  if (handle == nullptr) return {};
  const std::shared_ptr<fuse_pollhandle> kept(handle, fuse_pollhandle_destroy);
  return [kept] { fuse_lowlevel_notify_poll(kept.get()); };
}

void op_poll(fuse_req_t req, fuse_ino_t ino, fuse_file_info* info, fuse_pollhandle* handle) {
  auto asked = handle_of(req, ino, *info);
  const auto request = fuse::RawRequest::current().body<fuse_poll_in>();
  if (handle != nullptr && request) asked.poller = request->kh;
  auto wake = waking(handle);
  answer(
      req, [&](FileSystem& fs) { return fs.files.poll(asked, std::move(wake)); },
      [&](unsigned events) { fuse_reply_poll(req, events); });
}

void op_release(fuse_req_t req, fuse_ino_t, fuse_file_info* info) {
  file_system(req).files.release(info->fh);
  fuse_reply_err(req, 0);
}

// Writes an entry if there is room; how much it needs.
using AddEntry = std::size_t (*)(fuse_req_t req, const FileSystem& fs, const TreeEntry& entry, char* place,
                                 std::size_t room, off_t next);

void read_directory(fuse_req_t req, fuse_ino_t ino, std::size_t size, off_t offset, AddEntry add) {
  answer(
      req,
      [&](FileSystem& fs) -> Result<std::vector<char>> {
        const auto id = NodeId::from(ino);
        auto entries = TRY(fs.tree.list(id, caller_of(req)));
        entries.insert(entries.begin(), {{".", id, true, Lasting::never}, {"..", id, true, Lasting::never}});
        std::vector<char> buffer(size);
        std::size_t used = 0;
        for (auto i = static_cast<std::size_t>(offset); i < entries.size(); ++i) {
          const auto need =
              add(req, fs, entries[i], buffer.data() + used, size - used, static_cast<off_t>(i + 1));
          if (need > size - used) break;
          used += need;
        }
        buffer.resize(used);
        return buffer;
      },
      [&](const std::vector<char>& buffer) { fuse_reply_buf(req, buffer.data(), buffer.size()); });
}

void op_readdir(fuse_req_t req, fuse_ino_t ino, std::size_t size, off_t offset, fuse_file_info*) {
  read_directory(req, ino, size, offset,
                 [](fuse_req_t request, const FileSystem& fs, const TreeEntry& entry, char* place,
                    std::size_t room, off_t next) {
                   const auto attr = attributes(fs, entry.id, entry.directory);
                   return fuse_add_direntry(request, place, room, entry.name.c_str(), &attr, next);
                 });
}

// With what a lookup of each would say.
void op_readdirplus(fuse_req_t req, fuse_ino_t ino, std::size_t size, off_t offset, fuse_file_info*) {
  read_directory(req, ino, size, offset,
                 [](fuse_req_t request, const FileSystem& fs, const TreeEntry& entry, char* place,
                    std::size_t room, off_t next) {
                   const auto found = entry_for(fs, entry);
                   return fuse_add_direntry_plus(request, place, room, entry.name.c_str(), &found, next);
                 });
}

fuse_lowlevel_ops make_operations() {
  fuse_lowlevel_ops ops{};
  ops.lookup = op_lookup;
  ops.getattr = op_getattr;
  ops.open = op_open;
  ops.read = op_read;
  ops.write = op_write;
  ops.poll = op_poll;
  ops.release = op_release;
  ops.readdir = op_readdir;
  ops.readdirplus = op_readdirplus;
  return ops;
}

}  // namespace

const fuse_lowlevel_ops& operations() {
  static const fuse_lowlevel_ops kOperations = make_operations();
  return kOperations;
}

}  // namespace nacre::procfs
