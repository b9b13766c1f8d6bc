// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <chrono>
#include <memory>
#include <thread>

#include "base/sys/checked.h"
#include "base/sys/file.h"
#include "tools/nacre/cli/commands.h"
#include "tools/nacre/container/record.h"

namespace nacre::tool::cli {
namespace {

struct Typed {
  bool follow = false;
  std::string container;
};

Result<> copy_to_output(int log) {
  std::array<char, 16384> buffer;
  for (;;) {
    const auto size = TRY(sys::checked([&] { return ::read(log, buffer.data(), buffer.size()); }));
    if (size == 0) return {};
    TRY(sys::write_all(STDOUT_FILENO, {buffer.data(), static_cast<std::size_t>(size)}));
  }
}

Result<int> perform(const Typed& typed) {
  const auto record = TRY(find_record(typed.container));
  if (!record.detached)
    return bad_input("container " + record.name + ": has no log; only containers started with -d have one");
  const auto log =
      TRY(during("log of " + record.name, sys::open_at(AT_FDCWD, record.log().c_str(), O_RDONLY)));
  for (;;) {
    // Asked before reading, so that what was written last is not missed.
    const bool ended = wait_unsupervised(record, 0);
    TRY(copy_to_output(log.get()));
    if (!typed.follow || ended) return 0;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

}  // namespace

void declare_logs(CLI::App& app, Action& chosen) {
  auto* const command = app.add_subcommand("logs", "Print what a detached container wrote");
  auto typed = std::make_shared<Typed>();
  command->add_flag("-f,--follow", typed->follow, "Go on until the container ends");
  command->add_option("CONTAINER", typed->container, "Id or name")->required();
  command->callback([typed, &chosen] { chosen = [typed] { return perform(*typed); }; });
}

}  // namespace nacre::tool::cli
