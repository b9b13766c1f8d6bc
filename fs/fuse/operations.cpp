// SPDX-License-Identifier: Apache-2.0
#include "fs/fuse/operations.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdint>

#include "fs/fuse/answer.h"
#include "fs/fuse/directory.h"
#include "fs/fuse/file.h"

namespace nacre::fs {
namespace {

void want(fuse_conn_info* connection, std::uint64_t feature, bool wanted = true) {
  if (wanted)
    fuse_set_feature_flag(connection, feature);
  else
    fuse_unset_feature_flag(connection, feature);
}

void op_init(void* userdata, fuse_conn_info* connection) {
  auto& service = *static_cast<FuseService*>(userdata);
  // Nobody but us changes the tree, so the kernel need not ask whether it was changed.
  want(connection, FUSE_CAP_AUTO_INVAL_DATA, false);
  want(connection, FUSE_CAP_CACHE_SYMLINKS);
  want(connection, FUSE_CAP_PARALLEL_DIROPS);
  want(connection, FUSE_CAP_HANDLE_KILLPRIV_V2);
  // The umask is ours to apply: not where a directory has a default ACL.
  want(connection, FUSE_CAP_DONT_MASK);
  if (service.acl && service.xattrs) want(connection, FUSE_CAP_POSIX_ACL);
  // The times and sizes of files are those of the upper layer.
  want(connection, FUSE_CAP_WRITEBACK_CACHE, false);
  if (service.passthrough != nullptr && (connection->capable_ext & FUSE_CAP_PASSTHROUGH) != 0) {
    want(connection, FUSE_CAP_PASSTHROUGH);
    // One level, so that another overlay can still be mounted on top of us.
    connection->max_backing_stack_depth = 1;
    service.passthrough->enable(service.notes.descriptor());
  }
  service.kernel_opens_directories =
      service.timeout > 0 && (connection->capable_ext & FUSE_CAP_NO_OPENDIR_SUPPORT) != 0;
  want(connection, FUSE_CAP_SPLICE_WRITE);
  want(connection, FUSE_CAP_SPLICE_MOVE);
  connection->max_write = 1u << 20;
  connection->time_gran = 1;
  if (service.on_ready) service.on_ready();
}

void op_lookup(fuse_req_t req, fuse_ino_t parent, const char* name) {
  const auto result = fuse::guarded([&] { return service_of(req).fs.lookup({parent}, name); });
  if (result || result.error().code != ENOENT) return reply(req, result);
  // An entry without an inode: the kernel remembers that there is nothing.
  fuse_entry_param nothing{};
  nothing.entry_timeout = service_of(req).timeout;
  fuse_reply_entry(req, &nothing);
}

void op_forget(fuse_req_t req, fuse_ino_t inode, std::uint64_t count) {
  service_of(req).fs.forget({inode}, count);
  fuse_reply_none(req);
}

void op_forget_multi(fuse_req_t req, std::size_t count, fuse_forget_data* forgets) {
  for (std::size_t i = 0; i < count; ++i) service_of(req).fs.forget({forgets[i].ino}, forgets[i].nlookup);
  fuse_reply_none(req);
}

void reply_attr(fuse_req_t req, fuse_ino_t inode, const Result<struct stat>& attr) {
  if (!attr) return reply_error(req, attr.error());
  const auto& service = service_of(req);
  fuse_reply_attr(req, &*attr, service.fs.cacheable({inode}, *attr) ? service.timeout : 0);
}

void op_getattr(fuse_req_t req, fuse_ino_t inode, fuse_file_info*) {
  reply_attr(req, inode, fuse::guarded([&] { return service_of(req).fs.getattr({inode}); }));
}

void op_setattr(fuse_req_t req, fuse_ino_t inode, struct stat* attr, int valid, fuse_file_info* info) {
  constexpr timespec kNow{.tv_sec = 0, .tv_nsec = UTIME_NOW};
  AttrChange change;
  if ((valid & FUSE_SET_ATTR_MODE) != 0) change.mode = attr->st_mode;
  if ((valid & FUSE_SET_ATTR_UID) != 0) change.uid = attr->st_uid;
  if ((valid & FUSE_SET_ATTR_GID) != 0) change.gid = attr->st_gid;
  if ((valid & FUSE_SET_ATTR_SIZE) != 0) change.size = static_cast<std::uint64_t>(attr->st_size);
  if ((valid & FUSE_SET_ATTR_ATIME) != 0)
    change.atime = (valid & FUSE_SET_ATTR_ATIME_NOW) != 0 ? kNow : attr->st_atim;
  if ((valid & FUSE_SET_ATTR_MTIME) != 0)
    change.mtime = (valid & FUSE_SET_ATTR_MTIME_NOW) != 0 ? kNow : attr->st_mtim;
  // ftruncate(2) changes the time of an unchanged size, too; truncate(2) does not.
  if (change.size && info != nullptr && !change.mtime) change.mtime = kNow;
  // The protocol's FATTR_KILL_SUIDGID has the value of this flag. Before a write that clears
  // the bits the kernel asks for a change of nothing, to learn the mode that comes of it.
  change.kill_set_id = (valid & FUSE_SET_ATTR_KILL_SUID) != 0 || valid == 0;
  reply_attr(req, inode,
             fuse::guarded([&] { return service_of(req).fs.setattr(caller_of(req), {inode}, change); }));
}

void op_readlink(fuse_req_t req, fuse_ino_t inode) {
  const auto target = fuse::guarded([&] { return service_of(req).fs.readlink({inode}); });
  if (!target) return reply_error(req, target.error());
  fuse_reply_readlink(req, target->c_str());
}

void op_mknod(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode, dev_t device) {
  answer(req, [&](OverlayFs& fs) { return fs.mknod(caller_of(req), {parent}, name, mode, device); });
}

void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode) {
  answer(req, [&](OverlayFs& fs) { return fs.mkdir(caller_of(req), {parent}, name, mode); });
}

void op_symlink(fuse_req_t req, const char* target, fuse_ino_t parent, const char* name) {
  answer(req, [&](OverlayFs& fs) { return fs.symlink(caller_of(req), {parent}, name, target); });
}

void op_link(fuse_req_t req, fuse_ino_t inode, fuse_ino_t new_parent, const char* new_name) {
  answer(req, [&](OverlayFs& fs) { return fs.link({inode}, {new_parent}, new_name); });
}

void op_unlink(fuse_req_t req, fuse_ino_t parent, const char* name) {
  answer(req, [&](OverlayFs& fs) { return fs.unlink({parent}, name); });
}

void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char* name) {
  answer(req, [&](OverlayFs& fs) { return fs.rmdir({parent}, name); });
}

void op_rename(fuse_req_t req, fuse_ino_t parent, const char* name, fuse_ino_t new_parent,
               const char* new_name, unsigned flags) {
  answer(req, [&](OverlayFs& fs) { return fs.rename({parent}, name, {new_parent}, new_name, flags); });
}

// The size alone, or the value if the caller's buffer can hold it.
void reply_sized(fuse_req_t req, const Result<std::string>& value, std::size_t room) {
  if (!value) return reply_error(req, value.error());
  if (room == 0)
    fuse_reply_xattr(req, value->size());
  else if (value->size() > room)
    fuse_reply_err(req, ERANGE);
  else
    fuse_reply_buf(req, value->data(), value->size());
}

void op_getxattr(fuse_req_t req, fuse_ino_t inode, const char* name, std::size_t room) {
  if (!service_of(req).xattrs) return static_cast<void>(fuse_reply_err(req, ENOSYS));
  reply_sized(req, fuse::guarded([&] { return service_of(req).fs.getxattr({inode}, name); }), room);
}

void op_listxattr(fuse_req_t req, fuse_ino_t inode, std::size_t room) {
  if (!service_of(req).xattrs) return static_cast<void>(fuse_reply_err(req, ENOSYS));
  reply_sized(req, fuse::guarded([&] { return service_of(req).fs.listxattr({inode}); }), room);
}

void op_setxattr(fuse_req_t req, fuse_ino_t inode, const char* name, const char* value, std::size_t size,
                 int flags) {
  if (!service_of(req).xattrs) return static_cast<void>(fuse_reply_err(req, ENOSYS));
  answer(req, [&](OverlayFs& fs) { return fs.setxattr({inode}, name, {value, size}, flags); });
}

void op_removexattr(fuse_req_t req, fuse_ino_t inode, const char* name) {
  if (!service_of(req).xattrs) return static_cast<void>(fuse_reply_err(req, ENOSYS));
  answer(req, [&](OverlayFs& fs) { return fs.removexattr({inode}, name); });
}

void op_ioctl(fuse_req_t req, fuse_ino_t inode, unsigned command, void*, fuse_file_info*, unsigned,
              const void* in, std::size_t in_size, std::size_t) {
  if (command == kWhereIsServer && inode == kRootInode.value) {
    const auto& address = service_of(req).address;
    return static_cast<void>(fuse_reply_ioctl(req, 0, &address, sizeof(address)));
  }
  const auto value = fuse::guarded([&] {
    return service_of(req).fs.ioctl({inode}, command, {static_cast<const char*>(in), in_size});
  });
  if (!value) return reply_error(req, value.error());
  fuse_reply_ioctl(req, 0, value->data(), value->size());
}

void op_statfs(fuse_req_t req, fuse_ino_t) {
  const auto result = fuse::guarded([&] { return service_of(req).fs.statfs(); });
  if (!result) return reply_error(req, result.error());
  fuse_reply_statfs(req, &*result);
}

// Absent on purpose, so that the kernel asks once and never again: access (it checks
// permissions itself), flush, and locks (it keeps them itself). Directories have no handles to release.
constexpr fuse_lowlevel_ops make_operations() {
  fuse_lowlevel_ops ops{};
  ops.init = op_init;
  ops.lookup = op_lookup;
  ops.forget = op_forget;
  ops.forget_multi = op_forget_multi;
  ops.getattr = op_getattr;
  ops.setattr = op_setattr;
  ops.readlink = op_readlink;
  ops.mknod = op_mknod;
  ops.mkdir = op_mkdir;
  ops.symlink = op_symlink;
  ops.link = op_link;
  ops.unlink = op_unlink;
  ops.rmdir = op_rmdir;
  ops.rename = op_rename;
  ops.getxattr = op_getxattr;
  ops.listxattr = op_listxattr;
  ops.setxattr = op_setxattr;
  ops.removexattr = op_removexattr;
  ops.statfs = op_statfs;
  ops.ioctl = op_ioctl;
  ops.opendir = op_opendir;
  ops.readdir = op_readdir;
  ops.readdirplus = op_readdirplus;
  ops.fsyncdir = op_fsyncdir;
  ops.create = op_create;
  ops.tmpfile = op_tmpfile;
  ops.open = op_open;
  ops.read = op_read;
  ops.write = op_write;
  ops.release = op_release;
  ops.fsync = op_fsync;
  ops.fallocate = op_fallocate;
  ops.lseek = op_lseek;
  ops.copy_file_range = op_copy_file_range;
  return ops;
}

}  // namespace

const fuse_lowlevel_ops& operations() {
  static constexpr fuse_lowlevel_ops kOperations = make_operations();
  return kOperations;
}

}  // namespace nacre::fs
