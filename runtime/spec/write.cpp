// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "runtime/spec/parse.h"
#include "runtime/spec/write_linux.h"

namespace nacre::runtime::spec {
namespace {

using nlohmann::ordered_json;

ordered_json user_json(const User& user) {
  ordered_json out{{"uid", user.uid}, {"gid", user.gid}};
  if (user.umask) out["umask"] = *user.umask;
  if (!user.additional_gids.empty()) out["additionalGids"] = user.additional_gids;
  return out;
}

ordered_json capabilities_json(const Capabilities& capabilities) {
  return {{"bounding", capabilities.bounding},
          {"effective", capabilities.effective},
          {"inheritable", capabilities.inheritable},
          {"permitted", capabilities.permitted},
          {"ambient", capabilities.ambient}};
}

ordered_json process_json(const Process& process) {
  ordered_json out;
  if (process.terminal) out["terminal"] = true;
  if (process.console_height != 0 || process.console_width != 0)
    out["consoleSize"] = {{"height", process.console_height}, {"width", process.console_width}};
  out["user"] = user_json(process.user);
  out["args"] = process.args;
  out["env"] = process.env;
  out["cwd"] = process.cwd;
  if (process.capabilities) out["capabilities"] = capabilities_json(*process.capabilities);
  for (const auto& limit : process.rlimits)
    out["rlimits"].push_back({{"type", limit.type}, {"soft", limit.soft}, {"hard", limit.hard}});
  out["noNewPrivileges"] = process.no_new_privileges;
  if (process.oom_score_adj) out["oomScoreAdj"] = *process.oom_score_adj;
  if (!process.apparmor_profile.empty()) out["apparmorProfile"] = process.apparmor_profile;
  if (!process.selinux_label.empty()) out["selinuxLabel"] = process.selinux_label;
  return out;
}

ordered_json mount_json(const Mount& mount) {
  ordered_json out{{"destination", mount.destination}};
  if (!mount.type.empty()) out["type"] = mount.type;
  if (!mount.source.empty()) out["source"] = mount.source;
  if (!mount.options.empty()) out["options"] = mount.options;
  return out;
}

ordered_json hooks_json(const std::vector<Hook>& hooks) {
  auto out = ordered_json::array();
  for (const auto& hook : hooks) {
    ordered_json one{{"path", hook.path}};
    if (!hook.args.empty()) one["args"] = hook.args;
    if (!hook.env.empty()) one["env"] = hook.env;
    if (hook.timeout_seconds) one["timeout"] = *hook.timeout_seconds;
    out.push_back(std::move(one));
  }
  return out;
}

ordered_json hooks_json(const Hooks& hooks) {
  ordered_json out;
  const auto add = [&](const char* name, const std::vector<Hook>& list) {
    if (!list.empty()) out[name] = hooks_json(list);
  };
  add("prestart", hooks.prestart);
  add("createRuntime", hooks.create_runtime);
  add("createContainer", hooks.create_container);
  add("startContainer", hooks.start_container);
  add("poststart", hooks.poststart);
  add("poststop", hooks.poststop);
  return out;
}

}  // namespace

std::string to_json(const Spec& spec) {
  ordered_json out{{"ociVersion", spec.oci_version}};
  if (spec.process) out["process"] = process_json(*spec.process);
  out["root"] = {{"path", spec.root_path}, {"readonly", spec.root_readonly}};
  if (!spec.hostname.empty()) out["hostname"] = spec.hostname;
  if (!spec.domainname.empty()) out["domainname"] = spec.domainname;
  for (const auto& mount : spec.mounts) out["mounts"].push_back(mount_json(mount));
  if (auto hooks = hooks_json(spec.hooks); !hooks.empty()) out["hooks"] = std::move(hooks);
  if (!spec.annotations.empty()) out["annotations"] = spec.annotations;
  out["linux"] = linux_json(spec.linux_);
  // Bytes that are not UTF-8 (a path of a mount, say) must not make an exception.
  return out.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace nacre::runtime::spec
