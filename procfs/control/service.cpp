// SPDX-License-Identifier: Apache-2.0
#include "procfs/control/service.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/scope_exit.h"
#include "base/sys/file.h"
#include "base/sys/process.h"
#include "procfs/control/process_state.h"

namespace nacre::procfs {

using control::Operation;

Service::Reply Service::handle(const control::Request& request, std::vector<UniqueFd> fds) {
  auto reply = perform(request, std::move(fds));
  if (reply) return std::move(*reply);
  Reply refusal;
  refusal.answer.error = std::move(reply.error());
  return refusal;
}

Result<Service::Reply> Service::perform(const control::Request& request, std::vector<UniqueFd> fds) {
  switch (request.operation) {
    case Operation::add: return add(request.registration);
    case Operation::add_listener: return add_listener(request.registration.id, std::move(fds));
    case Operation::status: return status();
    case Operation::remove:
      if (const auto container = registry_.by_id(request.registration.id)) {
        registry_.remove(*container);
        supervisor_.unwatch_init(*container);
      }
      return Reply{};
    case Operation::hello: break;
  }
  return bad_input("unexpected greeting in the middle of a conversation");
}

Result<Service::Reply> Service::hand_out(const Container& container) {
  auto mounts = TRY(during("container " + container.id(), mounts_.open(container)));
  Reply reply;
  for (auto& mount : mounts) {
    reply.answer.targets.push_back(std::move(mount.target));
    reply.fds.push_back(std::move(mount.mount));
  }
  return reply;
}

Result<Service::Reply> Service::add(const control::Registration& registration) {
  if (const auto known = registration.again ? registry_.same(registration) : nullptr) return hand_out(*known);
  // The pidfd comes first: if the pid were used again later, it still means this process.
  auto pidfd = registration.init > 0 ? sys::pidfd_open(registration.init) : fail(ESRCH);
  if (!pidfd && pidfd.error().code != ESRCH)
    return during("watch the init of container " + registration.id, Result<Reply>(fail(pidfd.error().code)));
  const auto container = TRY(registry_.add(registration, mounts_.next_number()));
  ScopeExit undo{[&] { registry_.remove(*container); }};
  auto reply = TRY(hand_out(*container));
  // It has just come to be. The container's number is used up, with its mounts.
  if (!pidfd)
    return fail(ESRCH,
                "container " + registration.id + ": init process " + std::to_string(registration.init));
  TRY(during("watch the init of container " + registration.id,
             supervisor_.watch_init(container, std::move(*pidfd))));
  undo.dismiss();
  return reply;
}

Result<Service::Reply> Service::add_listener(std::string_view id, std::vector<UniqueFd> fds) {
  if (fds.size() != 1)
    return bad_input("a seccomp listener must come as exactly one descriptor, not " +
                     std::to_string(fds.size()));
  const auto container = registry_.by_id(id);
  if (!container) return fail(ENOENT, "container " + std::string(id.substr(0, 100)) + " is not registered");
  TRY(supervisor_.add_listener(container, std::move(fds.front())));
  return Reply{};
}

Result<> Service::take_process_state(std::string_view text, std::vector<UniqueFd> fds) {
  const auto state = TRY(parse_process_state(text));
  if (state.listener >= fds.size()) return bad_input("container process state without its descriptor");
  return supervisor_.add_listener(registry_.by_id(state.container), std::move(fds[state.listener]));
}

Result<Service::Reply> Service::status() const {
  Reply reply;
  reply.answer.status.pid = ::getpid();
  reply.answer.status.containers = registry_.size();
  const auto directory = TRY(sys::open_at(AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY));
  const auto entries = TRY(sys::list_directory(directory.get()));
  reply.answer.status.descriptors = entries.size() - 1;  // without the one just opened
  return reply;
}

}  // namespace nacre::procfs
