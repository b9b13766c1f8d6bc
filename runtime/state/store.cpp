// SPDX-License-Identifier: Apache-2.0
#include "runtime/state/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/control/message.h"
#include "base/sys/checked.h"
#include "base/sys/file.h"
#include "runtime/state/json.h"

namespace nacre::runtime {
namespace {

constexpr const char* kStateFile = "/state.json";

std::unexpected<Error> does_not_exist(const std::string& id) {
  // Engines look for these words (oci-runtime command line contract), not for the errno.
  return bad_input("container \"" + id + "\" does not exist");
}

}  // namespace

Store::Store(std::string root) : root_(std::move(root)) {}

std::string Store::directory(const std::string& id) const { return root_ + "/" + id; }

Result<> Store::check_id(std::string_view id) {
  if (!control::valid_id(id))
    return bad_input("invalid container id \"" + std::string(id) +
                     "\": use up to 255 letters, digits, _, +, - and ., not beginning with .");
  return {};
}

Result<std::string> Store::create(const std::string& id) {
  TRY(check_id(id));
  TRY(during("state directory", sys::make_directories(root_, 0700)));
  auto path = directory(id);
  if (::mkdir(path.c_str(), 0700) == 0) return path;
  if (errno == EEXIST) return bad_input("container with given ID already exists: " + id);
  return fail(errno, "make the state directory " + path);
}

Result<State> Store::load(const std::string& id) const {
  TRY(check_id(id));
  const auto path = directory(id);
  const auto text = sys::read_file(path + kStateFile);
  if (text) {
    auto state = during("state file " + path + kStateFile, parse_state(*text));
    if (state && state->id != id)
      return bad_input("state file " + path + kStateFile + ": is of container \"" + state->id + "\"");
    return state;
  }
  if (text.error().code != ENOENT) return std::unexpected(text.error());
  if (!sys::exists(path)) return does_not_exist(id);
  State unfinished;
  unfinished.id = id;
  return unfinished;
}

bool Store::exists(std::string_view id) const {
  return check_id(id) && sys::exists(directory(std::string(id)));
}

Result<> Store::save(const State& state) const {
  TRY(check_id(state.id));
  return during("save the state of container " + state.id,
                sys::replace_file(directory(state.id) + kStateFile, format_state(state), 0600));
}

Result<> Store::remove(const std::string& id) const {
  TRY(check_id(id));
  return during("remove the state of container " + id, sys::remove_tree(directory(id)));
}

Result<std::vector<std::string>> Store::list() const {
  std::vector<std::string> ids;
  const auto opened = sys::open_at(AT_FDCWD, root_.c_str(), O_RDONLY | O_DIRECTORY);
  if (!opened && opened.error().code == ENOENT) return ids;
  if (!opened) return fail(opened.error().code, "state directory " + root_);
  // Engines and we ourselves keep other things in the root; only what could be an id counts.
  for (const auto& entry : TRY(during("list " + root_, sys::list_directory(opened->get()))))
    if (entry.type == DT_DIR && check_id(entry.name)) ids.push_back(entry.name);
  std::ranges::sort(ids);
  return ids;
}

Result<UniqueFd> Store::lock(const std::string& id) const {
  TRY(check_id(id));
  // The directory itself is locked: there is no file that could outlive it or be replaced.
  auto opened = sys::open_at(AT_FDCWD, directory(id).c_str(), O_RDONLY | O_DIRECTORY);
  if (!opened && opened.error().code == ENOENT) return does_not_exist(id);
  if (!opened) return fail(opened.error().code, "open the state directory " + directory(id));
  TRY(during("lock container " + id, sys::succeed([&] { return ::flock(opened->get(), LOCK_EX); })));
  // While we waited, the container may have been removed, and another made with its id.
  const auto locked = TRY(sys::stat_fd(opened->get()));
  struct stat named {};
  if (::stat(directory(id).c_str(), &named) != 0 || named.st_ino != locked.st_ino ||
      named.st_dev != locked.st_dev)
    return does_not_exist(id);
  return std::move(*opened);
}

}  // namespace nacre::runtime
