// SPDX-License-Identifier: Apache-2.0
#include "fs/options.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/parse.h"
#include "fs/model/id_map.h"

namespace nacre::fs {
namespace {

std::unexpected<Error> malformed(std::string_view name, std::string_view value, std::string_view wanted) {
  return bad_input("option " + std::string(name) + "=" + std::string(value) + ": give " +
                   std::string(wanted));
}

Result<bool> truth(std::string_view name, std::string_view value) {
  if (value == "1" || value == "on" || value == "yes" || value.empty()) return true;
  if (value == "0" || value == "off" || value == "no") return false;
  return malformed(name, value, "0 or 1");
}

std::string unescape(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    plain += text[i];
  }
  return plain;
}

// What an option means. `name` is its own name, for messages.
using Apply = Result<> (*)(Options& options, std::string_view name, std::string_view value);

Result<> set_lowers(Options& options, std::string_view, std::string_view value) {
  options.lowers.clear();
  options.data_only.clear();
  auto paths = split_paths(value);
  bool data = false, announced = false;  // "::" stands before each layer for data only
  for (std::size_t i = 0; i < paths.size(); ++i) {
    if (paths[i].empty() && i > 0 && i + 1 < paths.size() && !paths[i + 1].empty()) {
      data = announced = true;
      continue;
    }
    if (paths[i].empty() || announced != data)
      return malformed("lowerdir", value, "DIR[:DIR...][::DIR...], topmost first, no part empty");
    (data ? options.data_only : options.lowers).push_back(std::move(paths[i]));
    announced = false;
  }
  return {};
}
Result<> add_lower(Options& options, std::string_view name, std::string_view value) {
  if (value.empty()) return malformed(name, value, "a directory");
  (name == "lowerdir+" ? options.lowers : options.data_only).push_back(unescape(value));
  return {};
}
Result<> set_upper(Options& options, std::string_view, std::string_view value) {
  options.upper = unescape(value);
  return {};
}
Result<> set_work(Options& options, std::string_view, std::string_view value) {
  options.work = unescape(value);
  return {};
}
Result<> set_volatile(Options& options, std::string_view, std::string_view) {
  options.sync = false;
  return {};
}
Result<> set_sync(Options& options, std::string_view name, std::string_view value) {
  options.sync = TRY(truth(name, value));
  return {};
}
Result<> set_user_xattrs(Options& options, std::string_view, std::string_view) {
  options.user_xattrs = true;
  return {};
}
Result<> set_no_xattrs(Options& options, std::string_view name, std::string_view value) {
  options.xattrs = !TRY(truth(name, value));
  return {};
}
Result<> set_no_acl(Options& options, std::string_view, std::string_view) {
  options.acl = false;
  return {};
}
Result<> set_stat_override(Options& options, std::string_view name, std::string_view value) {
  if (value == "0")
    options.stat_override = Options::StatOverride::by_root;
  else if (value == "1")
    options.stat_override = Options::StatOverride::privileged;
  else if (value == "2")
    options.stat_override = Options::StatOverride::containers;
  else
    return malformed(name, value, "0, 1 or 2");
  return {};
}
Result<> set_index(Options& options, std::string_view name, std::string_view value) {
  options.index = TRY(truth(name, value));
  return {};
}
Result<> set_redirects(Options& options, std::string_view name, std::string_view value) {
  // Redirects are followed in any case, as kernel overlayfs does unless told otherwise.
  if (value == "nofollow")
    return bad_input(
        "option redirect_dir=nofollow is not supported: redirects of the layers are always followed");
  options.redirect_dir = value != "follow" && TRY(truth(name, value));
  return {};
}
Result<> set_metacopy(Options& options, std::string_view name, std::string_view value) {
  options.metacopy = TRY(truth(name, value));
  return {};
}
Result<> set_mapping(Options& options, std::string_view name, std::string_view value) {
  if (!IdMap::parse(value, 0)) return malformed(name, value, "DISK-ID:SHOWN-ID:COUNT, repeated");
  (name == "uidmapping" ? options.uid_mapping : options.gid_mapping) = value;
  return {};
}
Result<> squash_to_root(Options& options, std::string_view, std::string_view) {
  // The options that name an id win, in any order.
  if (!options.squash_uid) options.squash_uid = 0;
  if (!options.squash_gid) options.squash_gid = 0;
  return {};
}
Result<> squash_to(Options& options, std::string_view name, std::string_view value) {
  const auto id = parse_int<std::uint32_t>(value);
  if (!id || *id == UINT32_MAX) return malformed(name, value, "an id");
  (name == "squash_to_uid" ? options.squash_uid : options.squash_gid) = *id;
  return {};
}
Result<> set_passthrough(Options& options, std::string_view name, std::string_view value) {
  options.passthrough = TRY(truth(name, value));
  return {};
}
Result<> set_confine(Options& options, std::string_view name, std::string_view value) {
  options.confine = sys::kConfinable && TRY(truth(name, value));
  return {};
}
Result<> set_timeout(Options& options, std::string_view name, std::string_view value) {
  double seconds = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
  if (error != std::errc{} || end != value.data() + value.size() || !(seconds >= 0 && seconds <= 1e15))
    return malformed(name, value, "seconds, such as 1.5");
  options.timeout = seconds;
  return {};
}
Result<> set_threads(Options& options, std::string_view name, std::string_view value) {
  const auto number = parse_int<unsigned>(value);
  if (!number || *number < 1 || *number > 256) return malformed(name, value, "a number from 1 to 256");
  options.threads = *number;
  return {};
}
Result<> set_most_inodes(Options& options, std::string_view name, std::string_view value) {
  const auto number = parse_int<std::size_t>(value);
  if (!number || (*number > 0 && *number < 16)) return malformed(name, value, "0 or a number from 16 on");
  options.most_inodes = *number;
  return {};
}
Result<> set_poll(Options& options, std::string_view name, std::string_view value) {
  const auto number = parse_int<unsigned>(value);
  if (!number || *number > 10000) return malformed(name, value, "microseconds, from 0 to 10000");
  options.poll = std::chrono::microseconds(*number);
  return {};
}
Result<> set_debug(Options& options, std::string_view, std::string_view) {
  options.debug = options.foreground = true;
  return {};
}
Result<> to_mount(Options& options, std::string_view name, std::string_view value) {
  options.mount_options.push_back(value.empty() ? std::string(name)
                                                : std::string(name) + "=" + unescape(value));
  return {};
}
Result<> accept(Options&, std::string_view, std::string_view) { return {}; }
// Doing without would show other files or owners than were asked for.
Result<> only_off(Options&, std::string_view name, std::string_view value) {
  if (value == "off" || value == "0" || value == "nofollow") return {};
  return bad_input("option " + std::string(name) + "=" + std::string(value) +
                   " is not supported: leave it out");
}
Result<> refuse(Options&, std::string_view name, std::string_view) {
  return bad_input("option " + std::string(name) + " is not supported: leave it out");
}

struct Row {
  std::string_view name;
  std::string_view value;  // its name in the help, empty when it has none
  Apply apply;
  std::string_view help;  // empty: not shown, understood for the sake of other programs' callers
};

constexpr auto kRows = std::to_array<Row>({
    {"lowerdir", "DIR[:DIR...][::DIR...]", set_lowers, "read-only layers, topmost first; \\: is a colon"},
    {"lowerdir+", "DIR", add_lower, "one more layer, below those given before"},
    {"datadir+", "DIR", add_lower, "one more layer for data only, as after \"::\" in lowerdir"},
    {"upperdir", "DIR", set_upper, "where changes go; without it the mount is read-only"},
    {"workdir", "DIR", set_work, "an empty directory on the same file system as upperdir"},
    {"volatile", "", set_volatile, "never wait for the disk; a crash of the machine may lose everything"},
    {"fsync", "0|1", set_sync, "0 is the same as volatile"},
    {"sync", "0|1", set_sync, ""},
    {"userxattr", "", set_user_xattrs, "keep own attributes in user.overlay.*, not trusted.overlay.*"},
    {"noxattrs", "0|1", set_no_xattrs, "show no extended attributes"},
    {"noacl", "", set_no_acl, "no POSIX access control lists"},
    {"redirect_dir", "on|off", set_redirects, "directories of lower layers can be renamed (default: off)"},
    {"metacopy", "on|off", set_metacopy, "changes of metadata copy no data (default: off)"},
    {"index", "on|off", set_index, "keep hard links over copy-up (default: on)"},
    {"uidmapping", "DISK:SHOWN:COUNT[:...]", set_mapping, "users on disk, and as the mount shows them"},
    {"gidmapping", "DISK:SHOWN:COUNT[:...]", set_mapping, "groups on disk, and as the mount shows them"},
    {"squash_to_root", "", squash_to_root, "everything belongs to root"},
    {"squash_to_uid", "UID", squash_to, "everything belongs to this user"},
    {"squash_to_gid", "GID", squash_to, "everything belongs to this group"},
    {"timeout", "SECONDS", set_timeout,
     "how long the kernel may remember names and attributes (default: for ever)"},
    {"threads", "N", set_threads, "threads that serve requests (default: by the number of processors)"},
    {"max_inodes", "N", set_most_inodes,
     "from so many files on have the kernel forget what is not in use (default: 1048576; 0: never)"},
    {"poll", "MICROSECONDS", set_poll,
     "how long to look for the next request before sleeping (default: 50; 0: sleep at once)"},
    {"passthrough", "0|1", set_passthrough,
     "let the kernel read and write upper files, and read programs, by itself (default: 1, needs root)"},
    {"confine", "0|1", set_confine,
     "when mounted, give up what may be of capabilities, system calls and the machine's files (default: 1)"},
    {"debug", "", set_debug, "log every request; stays in the foreground"},
    {"ro", "", to_mount, "read-only, even with upperdir"},
    {"rw", "", to_mount, ""},
    {"allow_other", "", to_mount, "other users may use the mount (default when root)"},
    {"allow_root", "", to_mount, "root may use the mount"},
    {"default_permissions", "", accept, ""},
    {"fsname", "NAME", to_mount, "the source shown in the mount table"},
    {"subtype", "NAME", to_mount, "the type shown in the mount table, after \"fuse.\""},
    {"suid", "", to_mount, ""},
    {"nosuid", "", to_mount, "as mount(8) has them: also dev, nodev, exec, noexec,"},
    {"dev", "", to_mount, ""},
    {"nodev", "", to_mount, ""},
    {"exec", "", to_mount, ""},
    {"noexec", "", to_mount, ""},
    {"atime", "", to_mount, ""},
    {"noatime", "", to_mount, "atime"},
    {"diratime", "", accept, ""},
    {"nodiratime", "", accept, ""},
    {"context", "LABEL", accept, ""},
    {"private", "", accept, ""},
    {"xino", "off|auto|on", accept, ""},
    {"ino32_t", "", accept, ""},
    {"static_nlink", "", accept, ""},
    {"fast_ino", "N", accept, ""},
    {"threaded", "0|1", accept, ""},
    {"writeback", "0|1", accept, ""},
    {"kernel_cache", "", accept, ""},
    {"max_write", "N", accept, ""},
    {"splice_read", "", accept, ""},
    {"splice_write", "", accept, ""},
    {"splice_move", "", accept, ""},
    {"uuid", "", accept, ""},
    {"nfs_export", "off", only_off, ""},
    {"verity", "off", only_off, ""},
    {"xattr_permissions", "0|1|2", set_stat_override,
     "owners, modes and devices are kept in attributes: 1: security.*, 2: user.* (then without ACLs)"},
    {"plugins", "", refuse, ""},
});

Result<> apply_option(Options& options, const std::string& option) {
  const auto equals = option.find('=');
  const auto name = std::string_view(option).substr(0, equals);
  const auto value =
      equals == std::string::npos ? std::string_view{} : std::string_view(option).substr(equals + 1);
  const auto row = std::ranges::find(kRows, name, &Row::name);
  if (row != kRows.end()) return row->apply(options, name, value);
  options.ignored.push_back(option);
  return {};
}

Result<> check(const Options& options, const std::vector<std::string_view>& operands) {
  if (options.help || options.version) return {};
  if (operands.empty()) return bad_input("no mount point: give -o lowerdir=DIR[,...] DIRECTORY (see --help)");
  if (operands.size() > 2)
    return bad_input("too many arguments: " + std::string(operands[2]) + " (see --help)");
  if (options.reload) {
    if (!options.data_only.empty())
      return bad_input("layers for data only cannot be added to a mount: give -o lowerdir=DIR[:DIR...]");
    return {};
  }
  if (options.lowers.empty()) return bad_input("no layers: give -o lowerdir=DIR[:DIR...], topmost first");
  if (options.upper && !options.work)
    return bad_input("option upperdir needs workdir=DIR, an empty directory on the same file system");
  return {};
}

}  // namespace

std::vector<std::string> split_options(std::string_view text) {
  std::vector<std::string> parts;
  std::string part;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\' && i + 1 < text.size()) {
      // Only the comma is ours to unescape here; the rest belongs to the option.
      if (text[i + 1] != ',') part += c;
      part += text[++i];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      if (!part.empty()) parts.push_back(std::move(part));
      part.clear();
    } else {
      part += c;
    }
  }
  if (!part.empty()) parts.push_back(std::move(part));
  return parts;
}

std::vector<std::string> split_paths(std::string_view text) {
  std::vector<std::string> paths(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ':')
      paths.emplace_back();
    else if (text[i] == '\\' && i + 1 < text.size())
      paths.back() += text[++i];
    else
      paths.back() += text[i];
  }
  return paths;
}

Result<Options> parse_options(std::span<const std::string_view> arguments) {
  Options options;
  std::vector<std::string_view> operands;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto argument = arguments[i];
    if (argument == "-h" || argument == "--help") {
      options.help = true;
    } else if (argument == "-V" || argument == "--version") {
      options.version = true;
    } else if (argument == "--reload") {
      options.reload = true;
    } else if (argument == "-f") {
      options.foreground = true;
    } else if (argument == "-d" || argument == "--debug") {
      options.debug = options.foreground = true;
    } else if (argument.starts_with("-o")) {
      if (argument.size() == 2 && i + 1 == arguments.size())
        return bad_input("-o: give OPTION[,OPTION...] (see --help)");
      const auto text = argument.size() > 2 ? argument.substr(2) : arguments[++i];
      for (const auto& option : split_options(text)) TRY(apply_option(options, option));
    } else if (argument.size() > 1 && argument[0] == '-') {
      options.ignored.emplace_back(argument);
    } else {
      operands.push_back(argument);
    }
  }
  TRY(check(options, operands));
  // mount(8) and its helpers put a source first, which means nothing to us.
  if (!operands.empty()) options.mountpoint = operands.back();
  return options;
}

std::string help_text() {
  std::string text =
      "usage: nacre-fs [-f] -o lowerdir=DIR[:DIR...][,upperdir=DIR,workdir=DIR][,OPTION...] [SOURCE] "
      "DIRECTORY\n"
      "       nacre-fs --reload [-o lowerdir=DIR[:DIR...]] DIRECTORY\n"
      "\n"
      "Mounts layers on DIRECTORY as one tree. Changes go to upperdir, in the format of the\n"
      "kernel's overlay file system. Goes to the background once the mount is live. /dev/fd/N\n"
      "as DIRECTORY is a descriptor of /dev/fuse that is mounted already.\n"
      "\n"
      "  -f             stay in the foreground\n"
      "  -d, --debug    log every request; stays in the foreground\n"
      "  -h, --help     show this text\n"
      "  -V, --version  show the version\n"
      "  --reload       tell the server of DIRECTORY that lower layers were changed; with lowerdir, put\n"
      "                 these layers on top of the other lower ones\n"
      "\n"
      "Options of -o:\n";
  for (const auto& row : kRows) {
    if (row.help.empty()) continue;
    std::string name = "  " + std::string(row.name);
    if (!row.value.empty()) name += "=" + std::string(row.value);
    name.resize(std::max<std::size_t>(name.size() + 2, 26), ' ');
    text += name + std::string(row.help) + "\n";
  }
  return text +
         "\nOn SIGUSR1, the numbers of inodes, handles and requests are written to standard error;\n"
         "SIGHUP is the same as --reload without lowerdir.\n";
}

}  // namespace nacre::fs
