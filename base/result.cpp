// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"

#include <cstring>

namespace nacre {

std::string Error::message() const {
  if (code < 0) return context;
  const std::string reason = std::strerror(code);
  return context.empty() ? reason : context + ": " + reason;
}

}  // namespace nacre
