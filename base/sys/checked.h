// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.h"

namespace nacre::sys {

// libc's "-1, now look at errno" becomes a value nobody can forget to check. EINTR is
// retried. Never wrap close(2) in it.
template <typename Call>
auto checked(Call call) -> Result<decltype(call())> {
  for (;;) {
    const auto rc = call();
    if (rc != -1) return rc;
    if (errno != EINTR) return fail(errno);
  }
}

// The same for calls whose value carries nothing but success.
template <typename Call>
Result<> succeed(Call call) {
  TRY(checked(call));
  return {};
}

}  // namespace nacre::sys
