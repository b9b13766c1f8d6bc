// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.h"
#include "runtime/spec/spec.h"

namespace nacre::runtime::spec {

// What the types cannot say: known namespaces, absolute paths, names that go together. The error
// names the member and, where there is one, the fix. Nothing on the machine is looked at.
Result<> validate(const Spec& spec);
Result<> validate(const Process& process);

// Whether the container gets a namespace of its own ("new") of the given type.
bool has_new_namespace(const Spec& spec, const char* type);
// Whether it gets one at all that is not the caller's: new, or one to join.
bool has_namespace(const Spec& spec, const char* type);

}  // namespace nacre::runtime::spec
