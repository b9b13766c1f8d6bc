// SPDX-License-Identifier: Apache-2.0
// Messages of the control socket, and what /proc says of a process.
#include <cstdint>

#include "base/control/message.h"
#include "base/sys/process.h"
#include "procfs/control/process_state.h"
#include "procfs/sample/tasks.h"
#include "procfs/view/load.h"
#include "tests/fuzz/target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using nacre::fuzz::require;
  namespace control = nacre::control;
  const auto text = nacre::fuzz::text_of(data, size);

  if (const auto request = control::decode_request(text)) {
    const auto again = control::decode_request(control::encode(*request));
    require(again && again->operation == request->operation, "a request that was understood can be repeated");
    if (request->operation == control::Operation::add)
      require(again->registration.init == request->registration.init &&
                  again->registration.physical_cpus == request->registration.physical_cpus,
              "a registration is the same again");
  }
  (void)control::decode_answer(text);
  (void)nacre::procfs::parse_process_state(text);
  if (control::valid_id(text))
    require(text.find('/') == text.npos && text.front() != '.', "an id is the name of a directory");

  if (const auto stat = nacre::sys::parse_process_stat(text))
    require(text.find(')') != text.npos, "a process has a name in parentheses");
  require(nacre::procfs::parse_innermost_pid(text) >= 0, "a process number is not negative");
  if (const auto pressure = nacre::procfs::parse_pressure(text))
    require(pressure->last10 <= 100 && pressure->last60 <= 100 && pressure->last300 <= 100,
            "pressure is at most all of the time");
  return 0;
}
