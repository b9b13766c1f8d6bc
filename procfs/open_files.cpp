// SPDX-License-Identifier: Apache-2.0
#include "procfs/open_files.h"

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

void OpenFiles::release(std::uint64_t handle) {
  std::shared_ptr<OpenFile> last;
  const std::lock_guard lock(mutex_);
  const auto found = files_.find(handle);
  if (found == files_.end()) return;
  last = std::move(found->second);
  files_.erase(found);
}

}  // namespace nacre::procfs
