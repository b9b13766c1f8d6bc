// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/control/protocol.h"

// The text of the messages of protocol.h, for both sides. Every message is one JSON object;
// unknown members are ignored, so that a later version may add some.
namespace nacre::control {

enum class Operation { hello, add, add_listener, remove, status };

struct Request {
  Operation operation = Operation::status;
  int version = kVersion;     // of hello
  Registration registration;  // of add; the others use only its id
};
std::string encode(const Request& request);
Result<Request> decode_request(std::string_view text);

struct Answer {
  int version = kVersion;
  std::optional<Error> error;
  std::vector<std::string> targets;  // of add: one for each descriptor beside the message
  Status status;
};
std::string encode(const Answer& answer);
Result<Answer> decode_answer(std::string_view text);

// An id becomes a directory name: letters, digits and "_.+-", no leading dot, at most 255.
bool valid_id(std::string_view id);

}  // namespace nacre::control
