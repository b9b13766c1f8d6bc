// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "runtime/spec/spec.h"

// config.json (runtime-spec 1.2) to plain values and back. A complaint is one line that
// names the member: `linux.namespaces[2].type: unknown namespace "foo"`. Members we do not
// know are ignored, as the specification asks; members we know and cannot honour are errors.
namespace nacre::runtime::spec {

Result<Spec> parse(std::string_view json);
// The process of `exec --process`.
Result<Process> parse_process(std::string_view json);

// parse() of BUNDLE/config.json, validated (validate.h).
Result<Spec> load(const std::string& bundle);

// A document that parse() reads back as the same value.
std::string to_json(const Spec& spec);

}  // namespace nacre::runtime::spec
