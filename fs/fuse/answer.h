// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/fuse/guarded.h"
#include "fs/fuse/operations.h"

// Results to replies. Every request gets exactly one.
namespace nacre::fs {

inline FuseService& service_of(fuse_req_t req) { return *static_cast<FuseService*>(fuse_req_userdata(req)); }

Caller caller_of(fuse_req_t req);

inline void reply_error(fuse_req_t req, const Error& error) {
  fuse_reply_err(req, error.code > 0 ? error.code : EIO);
}

inline fuse_entry_param entry_param(const FuseService& service, const Entry& entry) {
  fuse_entry_param param{};
  param.ino = entry.inode.value;
  param.attr = entry.attr;
  param.entry_timeout = service.timeout;
  param.attr_timeout = entry.cacheable ? service.timeout : 0;
  return param;
}

inline void reply(fuse_req_t req, const Result<>& result) {
  fuse_reply_err(req, result ? 0 : result.error().code);
}

inline void reply(fuse_req_t req, const Result<Entry>& result) {
  if (!result) return reply_error(req, result.error());
  auto& service = service_of(req);  // `req` is gone once we have replied
  const auto param = entry_param(service, *result);
  // An interrupted request never reaches the kernel, so its reference was not counted there.
  if (fuse_reply_entry(req, &param) == -ENOENT) service.fs.forget(result->inode, 1);
}

inline void reply(fuse_req_t req, const Result<std::string>& result) {
  if (!result) return reply_error(req, result.error());
  fuse_reply_buf(req, result->data(), result->size());
}

inline void reply(fuse_req_t req, const Result<std::size_t>& written) {
  if (!written) return reply_error(req, written.error());
  fuse_reply_write(req, *written);
}

// Runs an operation and answers with what it yields.
template <typename Operation>
void answer(fuse_req_t req, Operation operation) {
  reply(req, fuse::guarded([&] { return operation(service_of(req).fs); }));
}

}  // namespace nacre::fs
