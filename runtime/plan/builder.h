// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/plan/plan.h"

// The parts make_plan() is composed of; each appends its steps.
namespace nacre::runtime::plan {

// Lexically cleaned absolute path: "/a//b/./c/../d/" is "/a/b/d". Never leaves "/".
std::string clean_path(std::string_view path);

std::size_t add_source(Plan& plan, std::string path, bool recursive);

Result<> plan_mounts(const spec::Spec& spec, const HostFacts& facts, Plan& plan);
// A mount of type "cgroup" in whatever form the machine's hierarchies allow.
Result<> plan_cgroup_mount(const spec::Spec& spec, const spec::Mount& mount, const HostFacts& facts,
                           Plan& plan);
// /dev with the devices every program expects, those of the specification, and the links.
void plan_devices(const spec::Spec& spec, Plan& plan);

}  // namespace nacre::runtime::plan
