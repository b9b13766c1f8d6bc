// SPDX-License-Identifier: Apache-2.0
#include "tools/nacre/container/run_options.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <climits>
#include <cstdlib>

#include "base/parse.h"

namespace nacre::tool {
namespace {

constexpr std::uint64_t kNano = 1'000'000'000;
constexpr std::uint64_t kLeastCpus = kNano / 100;

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

}  // namespace

Result<std::uint64_t> parse_memory(std::string_view text) {
  const auto bytes = TRY(during("--memory", parse_size(text)));
  if (bytes < kLeastMemory)
    return bad_input("--memory " + std::string(text) + ": too small; a container needs at least 6m");
  if (bytes > static_cast<std::uint64_t>(INT64_MAX))
    return bad_input("--memory " + std::string(text) + ": too large");
  return bytes;
}

Result<std::int64_t> parse_memory_swap(std::string_view text) {
  if (text == "-1") return -1;
  const auto bytes = TRY(during("--memory-swap", parse_size(text)));
  if (bytes > static_cast<std::uint64_t>(INT64_MAX))
    return bad_input("--memory-swap " + std::string(text) + ": too large");
  return static_cast<std::int64_t>(bytes);
}

Result<std::uint64_t> parse_cpus(std::string_view text) {
  const auto cpus = TRY(during("--cpus", parse_nano(text)));
  if (cpus < kLeastCpus) return bad_input("--cpus " + std::string(text) + ": too small; at least 0.01");
  if (cpus > 65536 * kNano)
    return bad_input("--cpus " + std::string(text) + ": more CPUs than Linux can have");
  return cpus;
}

Result<std::string> parse_cpuset(std::string_view text) {
  const auto cpus = TRY(during("--cpuset-cpus", parse_list(text)));
  if (cpus.empty()) return bad_input("--cpuset-cpus: an empty list; example: 0-1");
  const auto online = ::sysconf(_SC_NPROCESSORS_CONF);
  if (online > 0 && cpus.back() >= static_cast<unsigned long>(online))
    return bad_input("--cpuset-cpus " + std::string(text) + ": CPU " + std::to_string(cpus.back()) +
                     " does not exist; this machine has 0-" + std::to_string(online - 1));
  return format_list(cpus);
}

Result<std::int64_t> parse_pids_limit(std::string_view text) {
  const auto limit = parse_int<std::int64_t>(text);
  if (!limit || *limit == 0 || *limit < -1)
    return bad_input("--pids-limit: " + quoted(text) +
                     " is not a number of processes; at least 1, or -1 for no limit");
  return *limit;
}

Result<std::optional<std::string>> parse_environment(std::string_view text) {
  const auto equals = text.find('=');
  if (text.empty() || equals == 0)
    return bad_input("--env: " + quoted(text) + " has no name; write NAME=VALUE");
  if (equals != std::string_view::npos) return std::optional<std::string>(text);
  const std::string name(text);
  const char* const value = std::getenv(name.c_str());
  if (value == nullptr) return std::optional<std::string>{};
  return std::optional<std::string>(name + "=" + value);
}

Result<Volume> parse_volume(std::string_view text) {
  const auto parts = split(text, ':');
  if (parts.size() < 2 || parts.size() > 3 || parts[0].empty() || !parts[1].starts_with('/') ||
      (parts.size() == 3 && parts[2] != "ro" && parts[2] != "rw"))
    return bad_input("--volume: " + quoted(text) + " is not SOURCE:/DESTINATION[:ro]");
  char resolved[PATH_MAX];
  const std::string source(parts[0]);
  if (::realpath(source.c_str(), resolved) == nullptr) return fail(errno, "--volume: source " + source);
  return Volume{resolved, std::string(parts[1]), parts.size() == 3 && parts[2] == "ro"};
}

Result<std::string> parse_name(std::string_view text) {
  const auto allowed = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '.' || c == '-';
  };
  if (text.empty() || text.size() > 128 || std::isalnum(static_cast<unsigned char>(text.front())) == 0 ||
      !std::ranges::all_of(text, allowed))
    return bad_input("--name: " + quoted(text) +
                     " is not a name; use letters, digits, '_', '.' and '-', a letter or digit first");
  return std::string(text);
}

Result<> check(const RunOptions& options) {
  if (options.memory_and_swap && !options.memory) return bad_input("--memory-swap: needs --memory beside it");
  if (options.memory_and_swap && *options.memory_and_swap >= 0 &&
      static_cast<std::uint64_t>(*options.memory_and_swap) < *options.memory)
    return bad_input("--memory-swap: it counts memory and swap together, so it must be at least --memory");
  if (!options.workdir.starts_with('/'))
    return bad_input("--workdir " + options.workdir + ": must be an absolute path");
  if (options.terminal && !options.detach && ::isatty(STDIN_FILENO) == 0 && options.interactive)
    return bad_input("--tty: standard input is not a terminal; leave out -t");
  return {};
}

}  // namespace nacre::tool
