// SPDX-License-Identifier: Apache-2.0
#include "tools/nacre/container/record.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/parse.h"
#include "base/sys/checked.h"
#include "base/sys/file.h"
#include "base/sys/process.h"
#include "runtime/cgroup/manager.h"
#include "tools/nacre/paths.h"

namespace nacre::tool {
namespace {

using nlohmann::json;

constexpr char kDiscarded = '.';  // begins the name of a folder that only waits for removal

Result<std::string> new_id() {
  std::array<unsigned char, 6> bytes{};
  TRY(sys::checked([&] { return ::getrandom(bytes.data(), bytes.size(), 0); }));
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string id;
  for (const unsigned byte : bytes) {
    id += kDigits[byte >> 4];
    id += kDigits[byte & 15];
  }
  return id;
}

std::string to_json(const Record& record) {
  return json{{"id", record.id},           {"name", record.name},         {"image", record.image},
              {"layers", record.layers},   {"command", record.command},   {"environment", record.environment},
              {"workdir", record.workdir}, {"user", record.user},         {"created", record.created},
              {"remove", record.remove},   {"detached", record.detached}, {"affinity", record.affinity}}
             .dump(2, ' ', false, json::error_handler_t::replace) +
         "\n";
}

// A folder whose record cannot be read (a crash came before it) is still a container that
// can be removed.
Record load(const std::string& id) {
  Record record;
  record.id = id;
  record.name = id;
  record.remove = true;
  const auto text = sys::read_file(record.directory() + "/record.json");
  if (!text) return record;
  const auto parsed = json::parse(*text, nullptr, false);
  if (!parsed.is_object()) return record;
  try {
    record.name = parsed.value("name", id);
    record.image = parsed.value("image", "");
    record.layers = parsed.value("layers", std::vector<std::string>{});
    record.command = parsed.value("command", std::vector<std::string>{});
    record.environment = parsed.value("environment", std::vector<std::string>{});
    record.workdir = parsed.value("workdir", "/");
    record.user = parsed.value("user", "");
    record.created = parsed.value("created", std::int64_t{0});
    record.remove = parsed.value("remove", false);
    record.detached = parsed.value("detached", false);
    record.affinity = parsed.value("affinity", false);
  } catch (const json::exception&) {
    // A field of another type: what was read before it stands.
  }
  return record;
}

// The names of the folders beside each other.
Result<std::vector<std::string>> folders() {
  std::vector<std::string> names;
  const auto folder = sys::open_at(AT_FDCWD, containers_directory().c_str(), O_RDONLY | O_DIRECTORY);
  if (!folder && folder.error().code == ENOENT) return names;
  if (!folder) return fail(folder.error().code, "open " + containers_directory());
  for (const auto& entry : TRY(sys::list_directory(folder->get())))
    if (entry.type == DT_DIR) names.push_back(entry.name);
  return names;
}

Result<UniqueFd> open_lock(const Record& record) {
  return sys::open_at(AT_FDCWD, (record.directory() + "/lock").c_str(), O_RDWR | O_CREAT, 0600);
}

// The number is the supervisor's own as long as the lock is held.
Result<UniqueFd> open_supervisor(const Record& record) {
  const auto number = parse_int<pid_t>(sys::read_file(record.directory() + "/lock").value_or(""));
  return number ? sys::pidfd_open(*number) : fail(ESRCH);
}

}  // namespace

std::string Record::directory() const { return containers_directory() + "/" + id; }
std::string Record::cgroup() const { return runtime::cgroup_parent() + "/" + id; }
std::string Record::payload_cgroup() const { return cgroup() + "/payload"; }
std::string Record::fs_cgroup() const { return cgroup() + "/fs"; }

Result<UniqueFd> lock_all() {
  const auto path = containers_directory() + "/lock";
  TRY(sys::make_directories(containers_directory(), 0711));
  auto fd = TRY(during("open " + path, sys::open_at(AT_FDCWD, path.c_str(), O_RDWR | O_CREAT, 0600)));
  TRY(during("lock " + path, sys::succeed([&] { return ::flock(fd.get(), LOCK_EX); })));
  return fd;
}

Result<Claim> claim(Record record) {
  const auto serialised = TRY(lock_all());
  record.id = TRY(new_id());
  if (record.name.empty()) record.name = record.id;
  for (const auto& other : TRY(all_records()))
    if (other.name == record.name || other.id == record.id)
      return bad_input("--name " + record.name + ": container " + other.id +
                       " has this name; choose another, or run: nacre rm -f " + record.name);
  TRY(during("create " + record.directory(),
             sys::succeed([&] { return ::mkdir(record.directory().c_str(), 0711); })));
  auto lock = TRY(during("lock " + record.directory(), open_lock(record)));
  // Not LOCK_NB: `nacre ps` may be probing at this very moment.
  TRY(sys::succeed([&] { return ::flock(lock.get(), LOCK_EX); }));
  TRY(sys::write_all(lock.get(), std::to_string(::getpid())));
  TRY(save(record));
  return Claim{std::move(record), std::move(lock)};
}

Result<> save(const Record& record) {
  return sys::replace_file(record.directory() + "/record.json", to_json(record), 0600);
}

Result<> save_exit_code(const Record& record, int code) {
  return sys::replace_file(record.directory() + "/exit-code", std::to_string(code) + "\n", 0600);
}

std::optional<int> exit_code(const Record& record) {
  const auto text = sys::read_file(record.directory() + "/exit-code");
  return text ? parse_int<int>(trim(*text)) : std::nullopt;
}

Result<std::vector<Record>> all_records() {
  std::vector<Record> records;
  for (const auto& name : TRY(folders()))
    if (!name.starts_with(kDiscarded)) records.push_back(load(name));
  std::ranges::sort(records, std::greater{}, &Record::created);
  return records;
}

std::string discarded_directory(const std::string& id) {
  return containers_directory() + "/" + kDiscarded + id;
}

Result<std::vector<std::string>> discarded_directories() {
  std::vector<std::string> paths;
  for (const auto& name : TRY(folders()))
    if (name.starts_with(kDiscarded)) paths.push_back(containers_directory() + "/" + name);
  return paths;
}

Result<Record> find_record(std::string_view wanted) {
  std::vector<Record> matches;
  for (auto& record : TRY(all_records())) {
    if (record.id == wanted || record.name == wanted) return std::move(record);
    if (!wanted.empty() && record.id.starts_with(wanted)) matches.push_back(std::move(record));
  }
  if (matches.size() == 1) return std::move(matches.front());
  if (matches.size() > 1)
    return bad_input("container " + std::string(wanted) + ": several ids begin so; give more of it");
  return bad_input("container " + std::string(wanted) + ": no such container; see: nacre ps -a");
}

Result<std::optional<UniqueFd>> try_lock(const Record& record) {
  auto lock = open_lock(record);
  if (!lock) return fail(lock.error().code, "lock " + record.directory());
  if (::flock(lock->get(), LOCK_EX | LOCK_NB) == 0) return std::optional(std::move(*lock));
  if (errno == EWOULDBLOCK) return std::optional<UniqueFd>{};
  return fail(errno, "lock " + record.directory());
}

bool wait_unsupervised(const Record& record, int milliseconds) {
  for (int waited = 0;; waited += 10) {
    if (!sys::exists(record.directory())) return true;
    if (const auto lock = try_lock(record); !lock || *lock) return true;
    if (waited >= milliseconds) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

bool supervised(const Record& record) {
  const auto lock = try_lock(record);
  if (!lock || *lock) return false;
  if (open_supervisor(record)) return true;
  // Killed a moment ago: a process it was just making for the container still has a copy of
  // the lock, and ends as soon as it notices.
  return !wait_unsupervised(record, 2000);
}

void kill_supervisor(const Record& record) {
  const auto supervisor = open_supervisor(record);
  const auto lock = try_lock(record);
  if (supervisor && lock && !*lock) static_cast<void>(sys::pidfd_signal(supervisor->get(), SIGKILL));
  static_cast<void>(wait_unsupervised(record, 1000));
}

}  // namespace nacre::tool
