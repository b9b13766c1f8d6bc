// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/arguments.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace nacre::runtime::cli {
namespace {

// Options that take the next word as their value, of the program and of exec and ps: what tells
// a value from the container's id.
constexpr std::array<std::string_view, 27> kValued{"--root",
                                                   "--log",
                                                   "--log-format",
                                                   "--log-level",
                                                   "--cgroup-manager",
                                                   "--criu",
                                                   "--rootless",
                                                   "--console-socket",
                                                   "--pidfd-socket",
                                                   "--cwd",
                                                   "-e",
                                                   "--env",
                                                   "-u",
                                                   "--user",
                                                   "-g",
                                                   "--additional-gids",
                                                   "-p",
                                                   "--process",
                                                   "--pid-file",
                                                   "--process-label",
                                                   "--apparmor",
                                                   "-c",
                                                   "--cap",
                                                   "--preserve-fds",
                                                   "--cgroup",
                                                   "-f",
                                                   "--format"};

bool takes_value(std::string_view word) { return std::ranges::find(kValued, word) != kValued.end(); }

// The index of the next word that is neither an option nor an option's value.
std::size_t next_positional(const std::vector<std::string>& words, std::size_t from) {
  for (std::size_t i = from; i < words.size(); ++i) {
    const auto& word = words[i];
    if (word == "--") return i + 1;
    if (word.size() < 2 || word.front() != '-') return i;
    if (takes_value(word)) ++i;
  }
  return words.size();
}

}  // namespace

Arguments arrange(const std::vector<std::string>& words) {
  Arguments out;
  out.own = words;
  for (auto& word : out.own)
    if (word == "-no-subreaper") word = "--no-subreaper";
  const auto command = next_positional(out.own, 0);
  if (command >= out.own.size()) return out;
  out.command = out.own[command];
  if (out.command != "exec" && out.command != "ps") return out;
  const auto id = next_positional(out.own, command + 1);
  if (id >= out.own.size()) return out;
  const auto after = out.own.begin() + static_cast<std::ptrdiff_t>(id) + 1;
  out.rest.assign(after, out.own.end());
  out.own.erase(after, out.own.end());
  if (!out.rest.empty() && out.rest.front() == "--") out.rest.erase(out.rest.begin());
  return out;
}

}  // namespace nacre::runtime::cli
