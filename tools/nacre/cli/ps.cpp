// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <array>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <memory>

#include "tools/nacre/cli/commands.h"
#include "tools/nacre/container/dispose.h"
#include "tools/nacre/container/record.h"

namespace nacre::tool::cli {
namespace {

struct Typed {
  bool all = false, quiet = false;
};

std::string age(std::int64_t since) {
  struct Unit {
    std::int64_t seconds;
    const char* name;
  };
  static constexpr std::array kUnits{Unit{86400, "day"}, Unit{3600, "hour"}, Unit{60, "minute"},
                                     Unit{1, "second"}};
  const auto elapsed = std::max<std::int64_t>(std::time(nullptr) - since, 0);
  for (const auto& unit : kUnits) {
    const auto count = elapsed / unit.seconds;
    if (count > 0) return std::to_string(count) + " " + unit.name + (count == 1 ? "" : "s") + " ago";
  }
  return "now";
}

std::string status(const Record& record, bool running) {
  if (running) return "running";
  const auto code = exit_code(record);
  return code ? "exited (" + std::to_string(*code) + ")" : "ended";
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
  constexpr std::size_t kWidth = 30;
  return text.size() <= kWidth ? text : text.substr(0, kWidth - 3) + "...";
}

Result<int> perform(const Typed& typed) {
  const auto records = TRY(all_records());
  constexpr const char* kRow = "%-12s  %-20s  %-30s  %-16s  %-14s  %s\n";
  if (!typed.quiet) std::printf(kRow, "ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "NAME");
  for (const auto& record : records) {
    const bool running = runs(record);
    if (!running && !typed.all) continue;
    if (typed.quiet)
      std::puts(record.id.c_str());
    else
      std::printf(kRow, record.id.c_str(), record.image.c_str(), joined(record.command).c_str(),
                  age(record.created).c_str(), status(record, running).c_str(), record.name.c_str());
  }
  return 0;
}

}  // namespace

void declare_ps(CLI::App& app, Action& chosen) {
  auto* const command = app.add_subcommand("ps", "List containers");
  auto typed = std::make_shared<Typed>();
  command->add_flag("-a,--all", typed->all, "Also those that have ended");
  command->add_flag("-q,--quiet", typed->quiet, "Ids only");
  command->callback([typed, &chosen] { chosen = [typed] { return perform(*typed); }; });
}

}  // namespace nacre::tool::cli
