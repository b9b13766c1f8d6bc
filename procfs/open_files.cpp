// SPDX-License-Identifier: Apache-2.0
#include "procfs/open_files.h"

#include <poll.h>

#include "procfs/file_table.h"

namespace nacre::procfs {

Result<> OpenFiles::render(OpenFile& open_file) {
  const auto& file = open_file.file;
  open_file.text = std::make_shared<const std::string>(TRY(file.row->render(*file.container, file.cpu)));
  open_file.made_at = clock_.boottime();
  open_file.read = false;
  return {};
}

Result<std::uint64_t> OpenFiles::open(NodeId id, pid_t caller) {
  auto created = std::make_shared<OpenFile>();
  created->file = TRY(tree_.file(id, caller));
  TRY(render(*created));
  const std::lock_guard lock(mutex_);
  files_[++last_] = std::move(created);
  return last_;
}

std::shared_ptr<OpenFiles::OpenFile> OpenFiles::find(std::uint64_t handle) {
  const std::lock_guard lock(mutex_);
  const auto found = files_.find(handle);
  return found == files_.end() ? nullptr : found->second;
}

Result<std::shared_ptr<const std::string>> OpenFiles::text(std::uint64_t handle, std::uint64_t offset) {
  const auto open_file = find(handle);
  if (!open_file) return fail(EBADF);
  const std::lock_guard lock(open_file->mutex);
  const bool current = !open_file->read && clock_.boottime() - open_file->made_at < Container::kLifetime;
  if (offset == 0 && !current) TRY(render(*open_file));
  if (offset == 0) open_file->read = true;
  return open_file->text;
}

Result<> OpenFiles::write(std::uint64_t handle, std::string_view text) {
  const auto open_file = find(handle);
  if (!open_file) return fail(EBADF);
  const auto& file = open_file->file;
  if (file.row->pressure == nullptr) return fail(EINVAL);
  const std::lock_guard lock(open_file->mutex);
  if (open_file->trigger) return fail(EBUSY);
  if (triggers_ == nullptr) return fail(EOPNOTSUPP);
  open_file->trigger = TRY(triggers_->arm(file.container->pressure_file(file.row->pressure), text));
  return {};
}

// kernel/sched/psi.c, psi_trigger_poll; other files are always ready.
Result<unsigned> OpenFiles::poll(std::uint64_t handle, std::function<void()> wake) {
  constexpr unsigned kReady = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
  const auto open_file = find(handle);
  if (!open_file) return fail(EBADF);
  if (open_file->file.row->pressure == nullptr) return kReady;
  const std::lock_guard lock(open_file->mutex);
  const auto state =
      open_file->trigger ? open_file->trigger->poll(std::move(wake)) : PressureTrigger::State::gone;
  switch (state) {
    case PressureTrigger::State::waiting: return kReady;
    case PressureTrigger::State::fired: return kReady | POLLPRI;
    case PressureTrigger::State::gone: return kReady | POLLERR | POLLPRI;
  }
  return kReady;
}

void OpenFiles::release(std::uint64_t handle) {
  std::shared_ptr<OpenFile> last;
  const std::lock_guard lock(mutex_);
  const auto found = files_.find(handle);
  if (found == files_.end()) return;
  last = std::move(found->second);
  files_.erase(found);
}

}  // namespace nacre::procfs
