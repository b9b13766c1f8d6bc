// SPDX-License-Identifier: Apache-2.0
#include "base/sys/capabilities.h"

#include <sys/capability.h>

#include <algorithm>
#include <memory>

#include "base/sys/checked.h"

namespace nacre::sys {

Result<> keep_capabilities(std::span<const int> kept) {
  const auto keeps = [&](int each) { return std::ranges::find(kept, each) != kept.end(); };
  for (int each = 0; each < cap_max_bits(); ++each)
    if (!keeps(each)) ::cap_drop_bound(each);
  const std::unique_ptr<void, int (*)(void*)> now(::cap_get_proc(), ::cap_free);
  const auto have = static_cast<cap_t>(now.get());
  if (have == nullptr) return fail(errno, "read capabilities");
  for (int each = 0; each < cap_max_bits(); ++each) {
    const cap_value_t value = each;
    ::cap_set_flag(have, CAP_INHERITABLE, 1, &value, CAP_CLEAR);
    if (keeps(each)) continue;
    ::cap_set_flag(have, CAP_PERMITTED, 1, &value, CAP_CLEAR);
    ::cap_set_flag(have, CAP_EFFECTIVE, 1, &value, CAP_CLEAR);
  }
  return during("drop capabilities", succeed([&] { return ::cap_set_proc(have); }));
}

}  // namespace nacre::sys
