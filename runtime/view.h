// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/control/protocol.h"
#include "base/result.h"
#include "runtime/annotations.h"
#include "runtime/process/init.h"
#include "runtime/spec/spec.h"
#include "runtime/state/store.h"

// A container's part in nacre-procfs: its own /proc and /sys files, and the answers of
// sysinfo(2) and sched_getaffinity(2). Without the daemon a container runs without them.
namespace nacre::runtime {

class View {
 public:
  // `required`: no daemon is an error that says how to start it. Annotations of the container:
  // org.nacre.view=off turns the view off, org.nacre.affinity=on has sched_getaffinity(2)
  // answered within the CPU quota.
  static Result<View> open(const spec::Spec& spec, bool required);

  // Registers a container whose init exists and is not yet set up.
  Result<> add(const control::Registration& registration);
  // Makes sure that the daemon, which may be a new one, knows a running container.
  void add_again(const control::Registration& registration);
  Result<> add_listener(const std::string& id, int listener);

  bool available() const { return client_.has_value(); }
  process::ViewFilter filter() const { return client_ ? filter_ : process::ViewFilter::none; }
  const std::vector<control::ViewMount>& mounts() const { return mounts_; }

 private:
  std::optional<control::Client> client_;
  process::ViewFilter filter_ = process::ViewFilter::none;
  bool required_ = false;
  std::vector<control::ViewMount> mounts_;
};

// What the daemon is told about a container. The annotation org.nacre.view.cgroup names the
// cgroup whose limits the view shows, where it is not the container's own. With org.nacre.cpus=physical its
// CPUs keep the machine's numbers.
control::Registration registration_of(const spec::Spec& spec, const State& state);

// Tells the daemon, if there is one, that the container is gone.
void forget_view(const std::string& id);

}  // namespace nacre::runtime
