// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "base/cgroup/hierarchy.h"
#include "runtime/cgroup/manager.h"
#include "runtime/container.h"
#include "runtime/process/init.h"
#include "runtime/view.h"

namespace nacre::runtime {

// One container being made: the steps of create(), each undone by the destructor until all of
// them have succeeded.
class Creation {
 public:
  explicit Creation(const CreateOptions& options) : options_(options), store_(options.root) {}
  Creation(const Creation&) = delete;
  Creation& operator=(const Creation&) = delete;
  ~Creation();

  Result<pid_t> run();

 private:
  Result<> claim();
  Result<> make_cgroup();
  Result<> prepare();
  Result<> start_init();
  Result<> prepare_from_outside();
  Result<> register_view();
  Result<> talk();
  Result<> finish();
  Error explain(Error error) const;
  std::string oci_state() const { return to_oci_json(state_, "creating"); }

  const CreateOptions& options_;
  Store store_;
  spec::Spec spec_;  // the caller's, with what the options add
  State state_;
  UniqueFd lock_;
  cgroup::Hierarchies hierarchies_;
  std::optional<CgroupManager> cgroup_;
  std::optional<View> view_;
  process::InitJob job_;
  UniqueFd console_;
  std::optional<process::Channel> channel_;
  bool claimed_ = false;
  bool done_ = false;
};

// The cgroup of a container: linux.cgroupsPath, or ID below cgroup_parent().
Result<std::string> cgroup_path_of(const spec::Spec& spec, const std::string& id);

// The specification a container was created from, kept in its state directory.
Result<spec::Spec> saved_spec(const std::string& state_directory);
Result<> save_spec(const std::string& state_directory, const spec::Spec& spec);

}  // namespace nacre::runtime
