// SPDX-License-Identifier: Apache-2.0
#include "base/sys/helpers.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/parse.h"
#include "base/sys/call_filter.h"
#include "base/sys/capabilities.h"
#include "base/sys/checked.h"

namespace nacre::sys {
namespace {

// All the descriptors that a helper has.
constexpr int kSocket = 0;
constexpr int kKept = 1;

Result<> keep_only(int socket, int kept) {
  const int lifted_socket = TRY(checked([&] { return ::fcntl(socket, F_DUPFD, 2); }));
  const int lifted_kept = TRY(checked([&] { return ::fcntl(kept, F_DUPFD, 2); }));
  TRY(checked([&] { return ::dup2(lifted_socket, kSocket); }));
  TRY(checked([&] { return ::dup2(lifted_kept, kKept); }));
  return succeed([] { return ::syscall(SYS_close_range, 2, ~0u, 0); });
}

// An answer on the wire: the number of an error, 0 for none, and a line with the rest.
Result<> send_answer(const Result<Message>& answer) {
  if (!answer)
    return send_message(kSocket, std::to_string(answer.error().code) + "\n" + answer.error().context);
  std::vector<int> fds;
  for (const auto& fd : answer->fds) fds.push_back(fd.get());
  return send_message(kSocket, "0\n" + answer->text, fds);
}

Result<Message> understand(Message answer) {
  const auto end = answer.text.find('\n');
  const auto code = parse_int<int>(answer.text.substr(0, end));
  answer.text.erase(0, end + 1);
  if (code != 0) return fail(code.value_or(EIO), std::move(answer.text));
  return answer;
}

// The answer as it comes, if it does.
Result<Message> exchange(int socket, std::string_view text, std::span<const int> fds,
                         const Helper::Limit& limit) {
  if (!send_message(socket, text, fds)) return fail(ECONNRESET);
  std::array<pollfd, 2> events{{{socket, POLLIN, 0}, {limit.interrupt, POLLIN, 0}}};
  const auto patience = limit.patience == std::chrono::milliseconds::max() ? -1 : limit.patience.count();
  if (TRY(checked([&] { return ::poll(events.data(), events.size(), static_cast<int>(patience)); })) == 0)
    return fail(ETIMEDOUT);
  if (events[0].revents == 0) return fail(ECANCELED);
  auto answer = TRY(receive_message(socket));
  if (answer.text.empty()) return fail(ECONNRESET);
  return answer;
}

// Until the other end of the socket is closed.
template <typename Answer>
Result<> answer_all(Answer answer) {
  for (;;) {
    const auto question = TRY(receive_message(kSocket));
    if (question.text.empty()) return {};
    TRY(send_answer(answer(question)));
  }
}

Result<> confine(const HelperKind& kind) {
  TRY(keep_capabilities(kind.capabilities));
  return kConfinable ? allow_only(kind.calls) : Result<>{};
}

Result<> be_helper(const HelperKind& kind, int socket) {
  ::prctl(PR_SET_NAME, kind.name, 0, 0, 0);
  TRY(keep_only(socket, kKept));
  const auto confined = during("confine " + std::string(kind.name), confine(kind));
  return answer_all([&](const Message& question) -> Result<Message> {
    if (!confined) return std::unexpected(confined.error());
    return kind.answer(question, kKept);
  });
}

Result<Message> start_helper(const std::vector<const HelperKind*>& kinds, const std::string& name) {
  const auto kind = std::ranges::find_if(kinds, [&](const auto* each) { return each->name == name; });
  if (kind == kinds.end()) return fail(ENOENT, name);
  auto [ours, theirs] = TRY(seqpacket_pair());
  const pid_t child = TRY(during("start " + name, checked([] { return ::fork(); })));
  if (child == 0) ::_exit(be_helper(**kind, theirs.get()) ? 0 : 1);
  Message started;
  started.fds.push_back(std::move(ours));
  return started;
}

// Starts the others; it waits for nothing but the daemon.
Result<> start_helpers(const std::vector<const HelperKind*>& kinds, int socket, int kept) {
  ::prctl(PR_SET_NAME, "nacre-helpers", 0, 0, 0);
  ::signal(SIGCHLD, SIG_IGN);  // the kernel buries them
  TRY(keep_only(socket, kept));
  return answer_all([&](const Message& question) { return start_helper(kinds, question.text); });
}

}  // namespace

Result<Helpers> Helpers::start(std::vector<const HelperKind*> kinds, int kept) {
  auto [ours, theirs] = TRY(seqpacket_pair());
  const pid_t child = TRY(during("start helper processes", checked([] { return ::fork(); })));
  if (child == 0) ::_exit(start_helpers(kinds, theirs.get(), kept) ? 0 : 1);
  return Helpers(std::move(ours));
}

Result<UniqueFd> Helpers::start_one(const HelperKind& kind) {
  const std::lock_guard lock(*mutex_);
  auto answer = during("the process that starts helpers", exchange(socket_.get(), kind.name, {}, {}));
  auto started = TRY(understand(TRY(std::move(answer))));
  if (started.fds.size() != 1) return fail(EIO, std::string("start ") + kind.name);
  return std::move(started.fds[0]);
}

Result<> Helper::prepare() {
  if (!socket_) socket_ = TRY(helpers_.start_one(kind_));
  return {};
}

Result<Message> Helper::ask(std::string_view text, std::span<const int> fds, const Limit& limit) {
  const bool started_before = static_cast<bool>(socket_);
  TRY(prepare());
  auto answer = during(kind_.name, exchange(socket_.get(), text, fds, limit));
  if (answer) return understand(std::move(*answer));
  // What it says later would answer another question.
  socket_.reset();
  if (started_before && answer.error().code == ECONNRESET) return ask(text, fds, limit);
  return answer;
}

}  // namespace nacre::sys
