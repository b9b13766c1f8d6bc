// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/report.h"

#include <fcntl.h>

#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/sys/file.h"
#include "runtime/state/store.h"

namespace nacre::runtime::cli {
namespace {

std::string line(const Invocation& call, const std::string& text) {
  if (call.log_format != "json") return "time=\"" + rfc3339_now() + "\" level=error msg=\"" + text + "\"\n";
  const nlohmann::ordered_json entry{{"level", "error"}, {"msg", text}, {"time", rfc3339_now()}};
  return entry.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

void report(const Invocation& call, const Error& error) {
  const auto text = error.message();
  log::error(text);
  if (call.log.empty()) return;
  const auto file = sys::open_at(AT_FDCWD, call.log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  // Standard error has it already.
  if (file) static_cast<void>(sys::write_all(file->get(), line(call, text)));
}

Result<> print(const std::string& text) {
  return during("write to standard output", sys::write_all(1, text));
}

}  // namespace nacre::runtime::cli
