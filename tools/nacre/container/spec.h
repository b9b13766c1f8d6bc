// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "runtime/spec/spec.h"
#include "tools/nacre/container/record.h"
#include "tools/nacre/container/run_options.h"
#include "tools/nacre/container/user.h"

namespace nacre::tool {

// The process a container runs, or another one in it (`nacre exec`): default capabilities,
// the default environment under the given one.
runtime::spec::Process process_for(const Record& record, const ResolvedUser& user, bool terminal);

// The limits of the container's own cgroup: those that also cover its file system daemon.
runtime::spec::Resources outer_resources(const RunOptions& options);

// The whole configuration of a new container, as the OCI runtime takes it.
runtime::spec::Spec spec_for(const Record& record, const RunOptions& options, const ResolvedUser& user,
                             const Clock& clock);

// The files that are bound over the image's: hosts, hostname and, with the host's network,
// resolv.conf. Written into the container's folder.
Result<> write_etc_files(const Record& record, const RunOptions& options);

}  // namespace nacre::tool
