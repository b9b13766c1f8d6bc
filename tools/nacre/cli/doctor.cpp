// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "tools/nacre/cli/commands.h"
#include "tools/nacre/doctor/checks.h"

namespace nacre::tool::cli {
namespace {

const char* word(doctor::Verdict verdict) {
  switch (verdict) {
    case doctor::Verdict::ok: return "ok";
    case doctor::Verdict::degraded: return "degraded";
    case doctor::Verdict::missing: return "missing";
  }
  return "missing";
}

// Nothing missing: 0. What is only degraded does not keep a container from running.
Result<int> perform(bool quiet) {
  int code = 0;
  for (const auto& check : doctor::checks()) {
    const auto finding = check.run();
    if (finding.verdict == doctor::Verdict::missing) code = 1;
    if (quiet && finding.verdict == doctor::Verdict::ok) continue;
    std::printf("%-17s %-9s %s%s%s\n", check.name, word(finding.verdict), finding.detail.c_str(),
                finding.fix.empty() ? "" : "; fix: ", finding.fix.c_str());
  }
  return code;
}

}  // namespace

void declare_doctor(CLI::App& app, Action& chosen) {
  auto* const command =
      app.add_subcommand("doctor", "Check what this machine offers, and what to do about the rest");
  auto quiet = std::make_shared<bool>(false);
  command->add_flag("-q,--quiet", *quiet, "Only what is not ok");
  command->callback([quiet, &chosen] { chosen = [quiet] { return perform(*quiet); }; });
}

}  // namespace nacre::tool::cli
