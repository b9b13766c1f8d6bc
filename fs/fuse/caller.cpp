// SPDX-License-Identifier: Apache-2.0
#include <linux/fuse.h>

#include "base/fuse/raw_request.h"
#include "fs/fuse/answer.h"

namespace nacre::fs {
namespace {

// Whether the kernel, which knows the caller's capabilities, wants set-id bits to be cleared.
bool asks_to_clear_set_id() {
  const auto request = fuse::RawRequest::current();
  switch (request.opcode()) {
    case FUSE_WRITE: {
      const auto body = request.body<fuse_write_in>();
      return body && (body->write_flags & FUSE_WRITE_KILL_SUIDGID) != 0;
    }
    case FUSE_OPEN: {
      const auto body = request.body<fuse_open_in>();
      return body && (body->open_flags & FUSE_OPEN_KILL_SUIDGID) != 0;
    }
    case FUSE_SETATTR: {
      const auto body = request.body<fuse_setattr_in>();
      return body && (body->valid == 0 || (body->valid & FATTR_KILL_SUIDGID) != 0);
    }
    default: return false;
  }
}

}  // namespace

Caller caller_of(fuse_req_t req) {
  constexpr auto kUnknown = static_cast<uid_t>(-1);  // where mounts may be idmapped
  const fuse_ctx* const context = fuse_req_ctx(req);
  Caller caller{context->uid, context->gid, context->umask};
  if (caller.uid == kUnknown) caller.keeps_set_id = !asks_to_clear_set_id();
  return caller;
}

}  // namespace nacre::fs
