// SPDX-License-Identifier: Apache-2.0
#include "procfs/render/render.h"

namespace nacre::procfs {

// Documentation/accounting/psi.rst. Of interrupts nothing is known but full stalls.
std::string render_no_pressure(std::string_view resource) {
  constexpr std::string_view kNone = " avg10=0.00 avg60=0.00 avg300=0.00 total=0\n";
  const auto full = "full" + std::string(kNone);
  return resource == "irq" ? full : "some" + std::string(kNone) + full;
}

}  // namespace nacre::procfs
