// SPDX-License-Identifier: Apache-2.0
#include "runtime/process/gate.h"

#include "base/sys/socket.h"
#include "runtime/process/channel.h"

namespace nacre::runtime::process {

std::string gate_path(const std::string& state_directory) { return state_directory + "/gate"; }

Result<UniqueFd> make_gate(const std::string& state_directory) {
  return during("make the container's gate", sys::listen_seqpacket(gate_path(state_directory)));
}

Result<UniqueFd> wait_at_gate(int gate) {
  for (;;) {
    auto connection = TRY(sys::accept_connection(gate));
    const auto message = sys::receive_message(connection.get());
    // A command that died after connecting has not said go.
    if (message && message->text == "go") return connection;
  }
}

void report_failure(int connection, const Error& error) {
  // Nobody is left to tell when the command has gone.
  static_cast<void>(sys::send_message(connection, encode(error)));
}

Result<UniqueFd> knock(const std::string& state_directory) {
  return sys::connect_seqpacket(gate_path(state_directory));
}

Result<> open_gate(int connection) {
  TRY(during("open the container's gate", sys::send_message(connection, "go")));
  const auto answer = sys::receive_message(connection);
  if (!answer) return fail(answer.error().code, "wait for the container's command");
  if (!answer->text.empty()) return std::unexpected(decode_error(answer->text));
  return {};
}

}  // namespace nacre::runtime::process
