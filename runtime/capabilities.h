// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/spec/spec.h"

// The calling thread's capability sets (capabilities(7)), as the child sets them before exec.
namespace nacre::runtime::capabilities {

// What a container gets that asks for nothing: podman's eleven.
const std::vector<std::string>& default_capabilities();

// Every name must be a capability's ("CAP_CHOWN"); the error names the one that is not. Effective
// ones must be permitted: the kernel would refuse them later with a bare EPERM. Ambient ones that
// are not inheritable and permitted are left out by apply(): buildah asks for them. A known name above what the running kernel has is ignored
// everywhere, as crun and runc do.
Result<> validate(const spec::Capabilities& wanted);

// Takes out of the bounding set whatever `wanted.bounding` does not have (CAP_SETPCAP needed).
// One that is wanted but was never in our own bounding set stays out: engines list the full set
// for privileged containers, and a host may hold some back.
Result<> drop_bounding(const spec::Capabilities& wanted);

// Sets effective, permitted and inheritable, then the ambient set; to be called after the change
// of uid. Capabilities that we cannot have (outside of our permitted set) are left out, for the
// reason above. Ambient ones raised before are cleared first.
Result<> apply(const spec::Capabilities& wanted);

}  // namespace nacre::runtime::capabilities
