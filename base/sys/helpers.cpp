// SPDX-License-Identifier: Apache-2.0
#include "base/sys/helpers.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
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

using namespace std::chrono_literals;

// All the descriptors that these processes have. What libraries may write to standard output or error is
// lost, and no file gets these numbers.
constexpr int kSocket = 0;
constexpr int kKept = 1;
constexpr int kMessages = 2;
// An answer of nacre-helpers takes a fork; who does not give it is stopped.
constexpr auto kStartPatience = 10s;
constexpr std::size_t kMostLeft = 16;

Result<> keep_only(int socket, int kept) {
  const int nowhere = TRY(checked([] { return ::eventfd(0, EFD_NONBLOCK); }));
  const int lifted_socket = TRY(checked([&] { return ::fcntl(socket, F_DUPFD, 3); }));
  const int lifted_kept = TRY(checked([&] { return ::fcntl(kept, F_DUPFD, 3); }));
  const int lifted_nowhere = TRY(checked([&] { return ::fcntl(nowhere, F_DUPFD, 3); }));
  TRY(checked([&] { return ::dup2(lifted_socket, kSocket); }));
  TRY(checked([&] { return ::dup2(lifted_kept, kKept); }));
  TRY(checked([&] { return ::dup2(lifted_nowhere, kMessages); }));
  return succeed([] { return ::syscall(SYS_close_range, 3, ~0u, 0); });
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

Result<> wait(int socket, const Helpers::Limit& limit) {
  std::array<pollfd, 2> events{{{socket, POLLIN, 0}, {limit.interrupt, POLLIN, 0}}};
  const auto sleep_at = std::chrono::steady_clock::now() + limit.poll;
  while (std::chrono::steady_clock::now() < sleep_at) {
    if (::poll(events.data(), 1, 0) == 1) return {};
    ::sched_yield();  // to the helper, if it waits for this processor
  }
  auto left = limit.patience;
  for (;;) {
    const auto step = std::min<std::chrono::milliseconds>(left, 1s);
    const int ready =
        TRY(checked([&] { return ::poll(events.data(), events.size(), static_cast<int>(step.count())); }));
    if (events[0].revents != 0) return {};
    if (ready > 0 || (limit.wanted && !limit.wanted())) return fail(ECANCELED);
    left -= step;
    if (left <= 0ms) return fail(ETIMEDOUT);
  }
}

Result<> send_question(int socket, std::string_view text, std::span<const int> fds) {
  if (auto sent = send_message(socket, text, fds); !sent)
    return fail(sent.error().code == EPIPE ? ECONNRESET : sent.error().code);
  return {};
}

// The answer as it comes, if it does.
Result<Message> await_answer(int socket, const Helpers::Limit& limit) {
  TRY(wait(socket, limit));
  auto answer = receive_message(socket);
  // Answers are short: these were too many descriptors.
  if (!answer) return fail(answer.error().code == EMSGSIZE ? EMFILE : answer.error().code);
  if (answer->text.empty()) return fail(ECONNRESET);
  return answer;
}

Result<Message> exchange(int socket, std::string_view text, const Helpers::Limit& limit) {
  TRY(send_question(socket, text, {}));
  return await_answer(socket, limit);
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

Result<> be_helper(const HelperKind& kind, pid_t starter) {
  ::prctl(PR_SET_NAME, kind.name, 0, 0, 0);
  // What nobody waits for any more is not done: the next daemon has it done anew.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != starter) return {};
  if (!kind.keeps) TRY(checked([] { return ::dup2(kMessages, kKept); }));
  const auto confined = confine(kind);
  return answer_all([&](const Message& question) -> Result<Message> {
    if (!confined) return fail(EPERM, "confine it: " + confined.error().message());
    return kind.answer(question, kind.keeps ? kKept : -1);
  });
}

Result<Message> start_helper(const std::vector<const HelperKind*>& kinds, const std::string& name) {
  const auto kind = std::ranges::find_if(kinds, [&](const auto* each) { return each->name == name; });
  if (kind == kinds.end()) return fail(EINVAL, name);
  auto [ours, theirs] = TRY(seqpacket_pair());
  const pid_t starter = ::getpid();
  const pid_t child = TRY(during("start " + name, checked([] { return ::fork(); })));
  if (child == 0) ::_exit(keep_only(theirs.get(), kKept) && be_helper(**kind, starter) ? 0 : 1);
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

Result<Helpers> Helpers::start(std::vector<const HelperKind*> kinds, int kept,
                               std::function<void(const Error&)> on_lost) {
  auto [ours, theirs] = TRY(seqpacket_pair());
  const pid_t child = TRY(during("start helper processes", checked([] { return ::fork(); })));
  if (child == 0) ::_exit(start_helpers(kinds, theirs.get(), kept) ? 0 : 1);
  return Helpers(std::move(ours), std::move(on_lost));
}

Result<UniqueFd> Helpers::start_one(const HelperKind& kind) {
  const std::lock_guard lock(*mutex_);
  if (!socket_) return fail(ECONNRESET, "the process that starts helpers");
  auto answer = during("the process that starts helpers",
                       exchange(socket_.get(), kind.name, {.patience = kStartPatience}));
  const bool lost = !answer && (answer.error().code == ECONNRESET || answer.error().code == ETIMEDOUT);
  // What it says later would answer another question.
  if (lost) socket_.reset();
  if (lost && on_lost_) on_lost_(answer.error());
  auto started = TRY(understand(TRY(std::move(answer))));
  if (started.fds.size() != 1) return fail(EIO, std::string("start ") + kind.name);
  return std::move(started.fds[0]);
}

void Helpers::leave(UniqueFd socket) {
  const std::lock_guard lock(*mutex_);
  left_.push_back(std::move(socket));
  forget_ended();
}

bool Helpers::may_leave_another() {
  const std::lock_guard lock(*mutex_);
  forget_ended();
  return left_.size() < kMostLeft;
}

// One that has answered after all ends with its socket.
void Helpers::forget_ended() {
  std::erase_if(left_, [](const UniqueFd& socket) {
    pollfd event{socket.get(), POLLIN, 0};
    return ::poll(&event, 1, 0) == 1;
  });
}

Result<> Helper::prepare() {
  if (!socket_) socket_ = TRY(helpers_.start_one(kind_));
  return {};
}

Result<Message> Helper::ask(std::string_view text, std::span<const int> fds, const Helpers::Limit& limit) {
  const bool started_before = static_cast<bool>(socket_);
  TRY(begin(text, fds));
  auto answer = finish(limit);
  const bool ended = !socket_ && answer.error().code == ECONNRESET;
  return ended && started_before ? ask(text, fds, limit) : std::move(answer);
}

Result<> Helper::begin(std::string_view text, std::span<const int> fds) {
  const bool started_before = static_cast<bool>(socket_);
  TRY(prepare());
  auto asked = during(kind_.name, send_question(socket_.get(), text, fds));
  if (asked) return {};
  socket_.reset();
  return started_before && asked.error().code == ECONNRESET ? begin(text, fds) : asked;
}

Result<Message> Helper::finish(const Helpers::Limit& limit) {
  if (!socket_) return fail(ECONNRESET, kind_.name);
  auto bounded = limit;
  if (limit.wanted) bounded.wanted = [&] { return limit.wanted() || !helpers_.may_leave_another(); };
  auto answer = during(kind_.name, await_answer(socket_.get(), bounded));
  if (answer) return during(kind_.name, understand(std::move(*answer)));
  // What it says later would answer another question.
  const bool answers_later = answer.error().code == ETIMEDOUT || answer.error().code == ECANCELED;
  if (answers_later) helpers_.leave(std::move(socket_));
  socket_.reset();
  return answer;
}

}  // namespace nacre::sys
