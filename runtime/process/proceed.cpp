// SPDX-License-Identifier: Apache-2.0
#include <linux/seccomp.h>

#include <array>

#include "base/parse.h"
#include "runtime/process/init.h"
#include "runtime/seccomp/filter.h"

namespace nacre::runtime::process {

std::string proceed_text(ViewFilter filter, const std::string& state,
                         const std::vector<std::string>& targets) {
  std::string text = filter == ViewFilter::affinity  ? "affinity"
                     : filter == ViewFilter::sysinfo ? "sysinfo"
                                                     : "none";
  text += '\0' + state;
  for (const auto& target : targets) text += '\0' + target;
  return text;
}

Result<Proceed> await_proceed(Channel& channel) {
  auto note = TRY(channel.expect(Tag::proceed));
  const auto parts = split(note.text, '\0');
  if (parts.size() < 2 || parts.size() - 2 != note.fds.size()) return fail(EPROTO, "malformed proceed note");
  Proceed proceed;
  if (parts[0] == "sysinfo") proceed.filter = ViewFilter::sysinfo;
  if (parts[0] == "affinity") proceed.filter = ViewFilter::affinity;
  proceed.state = parts[1];
  for (std::size_t i = 2; i < parts.size(); ++i) proceed.targets.emplace_back(parts[i]);
  proceed.mounts = std::move(note.fds);
  return proceed;
}

Result<> install_view_filter(ViewFilter filter, Channel& channel) {
  if (filter == ViewFilter::none) return {};
  const auto program = seccomp::view_filter(filter == ViewFilter::affinity);
  const auto listener = TRY(during("install the filter of the /proc view",
                                   seccomp::install(program, SECCOMP_FILTER_FLAG_NEW_LISTENER)));
  const std::array fds{listener.get()};
  TRY(channel.send(Tag::listener, {}, fds));
  // Until the daemon serves it, a sysinfo(2) of ours would wait for ever.
  TRY(channel.expect(Tag::resume));
  return {};
}

}  // namespace nacre::runtime::process
