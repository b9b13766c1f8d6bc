// SPDX-License-Identifier: Apache-2.0
#include "runtime/view.h"

#include <cstdint>

#include "runtime/seccomp/filter.h"
#include "runtime/spec/validate.h"

namespace nacre::runtime {

using process::ViewFilter;

namespace {

std::string annotation(const spec::Spec& spec, const char* name) {
  const auto found = spec.annotations.find(name);
  return found == spec.annotations.end() ? "" : found->second;
}

// CLOCK_BOOTTIME of the container minus the host's, in nanoseconds.
std::int64_t boottime_offset(const spec::Spec& spec) {
  const auto found = spec.linux_.time_offsets.find("boottime");
  if (found == spec.linux_.time_offsets.end()) return 0;
  return found->second.seconds * 1'000'000'000 + found->second.nanoseconds;
}

}  // namespace

Result<View> View::open(const spec::Spec& spec, bool required) {
  View view;
  view.required_ = required;
  if (annotation(spec, kViewAnnotation) == "off") return view;
  auto client = control::Client::connect();
  if (!client) {
    if (!required) return view;
    return bad_input("no nacre-procfs to serve the container's /proc (start it with: nacre-procfs): " +
                     client.error().message());
  }
  view.client_ = std::move(*client);
  // One listener per process is all the kernel gives; the user's profile goes first.
  const bool affinity = annotation(spec, kAffinityAnnotation) == "on";
  const auto& seccomp = spec.linux_.seccomp;
  if (!seccomp || !seccomp::uses_notify(*seccomp))
    view.filter_ = affinity ? ViewFilter::affinity : ViewFilter::sysinfo;
  return view;
}

Result<> View::add(const control::Registration& registration) {
  if (!client_) return {};
  auto mounts = client_->add(registration);
  if (mounts) {
    mounts_ = std::move(*mounts);
    return {};
  }
  if (required_) return during("register with nacre-procfs", Result<>{std::unexpected(mounts.error())});
  // A daemon in trouble must not keep containers from starting.
  client_.reset();
  return {};
}

Result<> View::add_listener(const std::string& id, int listener) {
  // The filter is in place: without somebody who answers, sysinfo(2) would fail in the container.
  return during("hand the listener to nacre-procfs", client_->add_listener(id, listener));
}

void View::add_again(const control::Registration& registration) {
  // Known already is what we hope for; another failure shows when the listener is handed over.
  if (client_) static_cast<void>(client_->add(registration));
}

control::Registration registration_of(const spec::Spec& spec, const State& state) {
  const auto cgroup = annotation(spec, kViewCgroupAnnotation);
  return {.id = state.id,
          .init = state.pid,
          .cgroup_path = cgroup.empty() ? state.cgroup_path : cgroup,
          .boottime_offset = boottime_offset(spec),
          .own_time_namespace = spec::has_new_namespace(spec, "time"),
          .physical_cpus = annotation(spec, kCpusAnnotation) == "physical"};
}

void forget_view(const std::string& id) {
  auto client = control::Client::connect();
  // A daemon that is gone has forgotten already; one that refuses forgets when the init is gone.
  if (client) static_cast<void>(client->remove(id));
}

}  // namespace nacre::runtime
