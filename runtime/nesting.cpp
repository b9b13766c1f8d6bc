// SPDX-License-Identifier: Apache-2.0
#include "runtime/nesting.h"

#include <algorithm>

#include "runtime/annotations.h"
#include "runtime/spec/validate.h"

namespace nacre::runtime {
namespace {

bool maps_nobody_to_root(const spec::Spec& spec) {
  // Of one that is joined nobody says here whom it maps.
  if (!spec::has_new_namespace(spec, "user")) return false;
  return std::ranges::none_of(spec.linux_.uid_mappings, [](const spec::IdMapping& mapping) {
    return mapping.host_id == 0 && mapping.size > 0;
  });
}

}  // namespace

Result<bool> allows_nesting(const spec::Spec& spec) {
  const auto nesting = spec.annotations.find(kNestingAnnotation);
  if (nesting == spec.annotations.end() || nesting->second != "on") return false;
  const bool covered = !spec.linux_.masked_paths.empty() || !spec.linux_.readonly_paths.empty();
  if (covered && !maps_nobody_to_root(spec))
    return bad_input(
        std::string(kNestingAnnotation) +
        "=on takes a user namespace that maps nobody to root, or a container with nothing masked "
        "(podman: --security-opt unmask=all)");
  return true;
}

}  // namespace nacre::runtime
