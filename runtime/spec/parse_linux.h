// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/spec/json_reader.h"
#include "runtime/spec/spec.h"

namespace nacre::runtime::spec {

// The members below "linux" (config-linux.md).
void read(const Value& value, Linux& out);

// Complains about members that we know and cannot honour.
void refuse(const Value& object, std::initializer_list<const char*> members);

}  // namespace nacre::runtime::spec
