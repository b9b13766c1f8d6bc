// SPDX-License-Identifier: Apache-2.0
#include "procfs/open_files.h"

#include <poll.h>

#include <utility>

#include "base/parse.h"
#include "procfs/file_table.h"

namespace nacre::procfs {
namespace {

// In the state.
std::string text_key(std::uint64_t handle) { return "open/" + std::to_string(handle) + "/text"; }
std::string trigger_key(std::uint64_t handle) { return "open/" + std::to_string(handle) + "/trigger"; }
constexpr std::string_view kPollers = "pollers/";
std::string poller_key(std::uint64_t handle) { return std::string(kPollers) + std::to_string(handle); }

}  // namespace

// The numbers of files are nanoseconds since the machine was started, so that a successor, which does not
// know which of its predecessor's are still open, begins above them all.
OpenFiles::OpenFiles(Tree& tree, const Clock& clock, PressureTriggers* triggers, StateFile* state)
    : tree_(tree),
      clock_(clock),
      triggers_(triggers),
      state_(state),
      last_(static_cast<std::uint64_t>(clock.boottime().count())) {}

Result<> OpenFiles::render(OpenFile& open_file) {
  const auto& file = open_file.file;
  open_file.text = std::make_shared<const std::string>(TRY(file.row->render(*file.container, file.instance)));
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

Result<std::shared_ptr<OpenFiles::OpenFile>> OpenFiles::find(const Handle& handle) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = files_.find(handle.number); found != files_.end()) return found->second;
  }
  if (state_ == nullptr) return fail(EBADF);
  auto adopted = std::make_shared<OpenFile>();
  adopted->file = TRY(tree_.file(handle.id, handle.caller));
  if (auto text = state_->value(text_key(handle.number)); !text.empty()) {
    adopted->text = std::make_shared<const std::string>(std::move(text));
    adopted->kept_text = adopted->text->size();
  } else {
    TRY(render(*adopted));
  }
  adopted->read = true;
  adopted->kept = text_kept | trigger_kept | poller_kept;
  adopted->armed = state_->value(trigger_key(handle.number));
  if (!adopted->armed.empty()) adopted->trigger = TRY(arm(adopted->file, adopted->armed));
  const std::lock_guard lock(mutex_);
  const auto [known, added] = files_.emplace(handle.number, adopted);
  if (added) kept_text_[adopted->file.container->number()] += adopted->kept_text;
  return known->second;
}

Result<std::shared_ptr<const std::string>> OpenFiles::text(const Handle& handle, std::uint64_t offset) {
  const auto open_file = TRY(find(handle));
  const std::lock_guard lock(open_file->mutex);
  const bool current = !open_file->read && clock_.boottime() - open_file->made_at < Container::kLifetime;
  if (offset == 0 && !current) TRY(render(*open_file));
  if (offset == 0) {
    open_file->read = true;
    // Whoever has begun to read it goes on with the same text.
    keep_text(handle.number, *open_file);
  }
  return open_file->text;
}

void OpenFiles::keep_text(std::uint64_t handle, OpenFile& open_file) {
  if (state_ == nullptr) return;
  const auto size = open_file.text->size();
  bool fits = false;
  {
    const std::lock_guard lock(mutex_);
    auto& used = kept_text_[open_file.file.container->number()];
    used -= open_file.kept_text;
    fits = used + size <= kMostKeptText;
    open_file.kept_text = fits ? size : 0;
    used += open_file.kept_text;
  }
  if (fits && state_->put(text_key(handle), *open_file.text)) {
    open_file.kept |= text_kept;
  } else if ((open_file.kept & text_kept) != 0) {
    state_->erase(text_key(handle));  // an earlier text would be worse than none
  }
}

Result<std::shared_ptr<PressureTrigger>> OpenFiles::arm(const Tree::File& file, std::string_view text) {
  if (triggers_ == nullptr) return fail(EOPNOTSUPP);
  return triggers_->arm(file.container->pressure_file(file.row->pressure), text);
}

Result<> OpenFiles::write(const Handle& handle, std::string_view text) {
  const auto open_file = TRY(find(handle));
  const auto& file = open_file->file;
  if (file.row->pressure == nullptr) return fail(EINVAL);
  const std::lock_guard lock(open_file->mutex);
  // The kernel repeats a write whose answer was lost with a predecessor.
  if (open_file->trigger && std::exchange(open_file->armed, {}) == text) return {};
  if (open_file->trigger) return fail(EBUSY);
  open_file->trigger = TRY(arm(file, text));
  if (state_ != nullptr && state_->put(trigger_key(handle.number), text)) open_file->kept |= trigger_kept;
  return {};
}

// kernel/sched/psi.c, psi_trigger_poll; other files are always ready.
Result<unsigned> OpenFiles::poll(const Handle& handle, std::function<void()> wake) {
  constexpr unsigned kReady = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
  const auto open_file = TRY(find(handle));
  if (open_file->file.row->pressure == nullptr) return kReady;
  const std::lock_guard lock(open_file->mutex);
  if (state_ != nullptr && handle.poller != 0 &&
      state_->put(poller_key(handle.number), std::to_string(handle.poller)))
    open_file->kept |= poller_kept;
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
  // One of a predecessor's that nobody has read here.
  unsigned kept = text_kept | trigger_kept | poller_kept;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = files_.find(handle); found != files_.end()) {
      last = std::move(found->second);
      kept = last->kept;
      files_.erase(found);
      if (const auto used = kept_text_.find(last->file.container->number()); used != kept_text_.end())
        if ((used->second -= last->kept_text) == 0) kept_text_.erase(used);
    }
  }
  if (state_ == nullptr) return;
  if ((kept & text_kept) != 0) state_->erase(text_key(handle));
  if ((kept & trigger_kept) != 0) state_->erase(trigger_key(handle));
  if ((kept & poller_kept) != 0) state_->erase(poller_key(handle));
}

std::vector<std::uint64_t> OpenFiles::left_waiting() const {
  std::vector<std::uint64_t> pollers;
  if (state_ == nullptr) return pollers;
  for (const auto& [key, text] : state_->entries_below(kPollers))
    if (const auto poller = parse_int<std::uint64_t>(text)) pollers.push_back(*poller);
  return pollers;
}

}  // namespace nacre::procfs
