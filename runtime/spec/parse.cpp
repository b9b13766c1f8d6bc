// SPDX-License-Identifier: Apache-2.0
#include "runtime/spec/parse.h"

#include "base/sys/file.h"
#include "runtime/spec/json_reader.h"
#include "runtime/spec/parse_linux.h"
#include "runtime/spec/validate.h"

namespace nacre::runtime::spec {

// Overloads are found by argument-dependent lookup from the templates of json_reader.h.
static void read(const Value& value, User& out) {
  read(value["uid"], out.uid);
  read(value["gid"], out.gid);
  read(value["umask"], out.umask);
  read(value["additionalGids"], out.additional_gids);
}

static void read(const Value& value, Capabilities& out) {
  read(value["bounding"], out.bounding);
  read(value["effective"], out.effective);
  read(value["inheritable"], out.inheritable);
  read(value["permitted"], out.permitted);
  read(value["ambient"], out.ambient);
}

static void read(const Value& value, Rlimit& out) {
  read(value["type"], out.type);
  read(value["soft"], out.soft);
  read(value["hard"], out.hard);
}

static void read(const Value& value, Process& out) {
  read(value["terminal"], out.terminal);
  const auto size = value["consoleSize"];
  read(size["height"], out.console_height);
  read(size["width"], out.console_width);
  read(value["user"], out.user);
  read(value["args"], out.args);
  read(value["env"], out.env);
  read(value["cwd"], out.cwd);
  read(value["capabilities"], out.capabilities);
  read(value["rlimits"], out.rlimits);
  read(value["noNewPrivileges"], out.no_new_privileges);
  read(value["oomScoreAdj"], out.oom_score_adj);
  read(value["apparmorProfile"], out.apparmor_profile);
  read(value["selinuxLabel"], out.selinux_label);
  refuse(value, {"scheduler", "ioPriority", "execCPUAffinity"});
}

static void read(const Value& value, Mount& out) {
  read(value["destination"], out.destination);
  read(value["type"], out.type);
  read(value["source"], out.source);
  read(value["options"], out.options);
  refuse(value, {"uidMappings", "gidMappings"});
}

static void read(const Value& value, Hook& out) {
  read(value["path"], out.path);
  read(value["args"], out.args);
  read(value["env"], out.env);
  read(value["timeout"], out.timeout_seconds);
}

static void read(const Value& value, Hooks& out) {
  read(value["prestart"], out.prestart);
  read(value["createRuntime"], out.create_runtime);
  read(value["createContainer"], out.create_container);
  read(value["startContainer"], out.start_container);
  read(value["poststart"], out.poststart);
  read(value["poststop"], out.poststop);
}

static void read(const Value& value, Spec& out) {
  read(value["ociVersion"], out.oci_version);
  read(value["process"], out.process);
  const auto root = value["root"];
  read(root["path"], out.root_path);
  read(root["readonly"], out.root_readonly);
  read(value["hostname"], out.hostname);
  read(value["domainname"], out.domainname);
  read(value["mounts"], out.mounts);
  read(value["hooks"], out.hooks);
  read(value["annotations"], out.annotations);
  read(value["linux"], out.linux_);
}

namespace {

template <typename T>
Result<T> parse_as(std::string_view text) {
  // The parser's exceptions are its way to report malformed input; they end here.
  Json document;
  try {
    document = Json::parse(text);
  } catch (const Json::parse_error& error) {
    return bad_input("malformed JSON at byte " + std::to_string(error.byte));
  } catch (const Json::out_of_range&) {
    return bad_input("a number that is too large");
  }
  if (!document.is_object()) return bad_input("not a JSON object");
  Problems problems;
  T out;
  read(Value{&document, "", &problems}, out);
  TRY(problems.result());
  return out;
}

}  // namespace

void refuse(const Value& object, std::initializer_list<const char*> members) {
  for (const char* name : members) {
    const auto member = object[name];
    if (member && !member.json->empty()) member.problems->add(member.path + " is not supported");
  }
}

Result<Spec> parse(std::string_view json) { return parse_as<Spec>(json); }

Result<Process> parse_process(std::string_view json) { return parse_as<Process>(json); }

Result<Spec> load(const std::string& bundle) {
  const std::string path = bundle + "/config.json";
  const auto text = sys::read_file(path);
  if (!text) {
    if (text.error().code == ENOENT || text.error().code == ENOTDIR)
      return bad_input("bundle " + bundle + " has no config.json (make one with: nacre-runtime spec)");
    return std::unexpected(text.error());
  }
  auto spec = TRY(during(path, parse(*text)));
  TRY(during(path, validate(spec)));
  return spec;
}

}  // namespace nacre::runtime::spec
