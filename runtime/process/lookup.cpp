// SPDX-License-Identifier: Apache-2.0
#include "runtime/process/lookup.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fcntl.h>

#include "base/parse.h"

namespace nacre::runtime::process {
namespace {

// 0, or why the file cannot be executed.
int check(const std::string& path) {
  struct stat st {};
  if (::stat(path.c_str(), &st) != 0) return errno;
  if (S_ISDIR(st.st_mode)) return EISDIR;
  return ::faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

std::unexpected<Error> refused(const std::string& name, int code) {
  const auto subject = "exec: \"" + name + "\": ";
  if (code == ENOENT || code == ENOTDIR)
    return fail(kNoCommand, subject + "stat " + name + ": no such file or directory");
  if (code == EISDIR) return fail(kUnusableCommand, subject + "is a directory");
  if (code == EACCES) return fail(kUnusableCommand, subject + "permission denied");
  return fail(code, "exec: \"" + name + "\"");
}

}  // namespace

std::string variable(const std::vector<std::string>& environment, std::string_view name) {
  std::string value;
  for (const auto& entry : environment)
    if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=')
      value = entry.substr(name.size() + 1);
  return value;
}

Result<std::string> find_executable(const std::string& name, const std::vector<std::string>& environment) {
  if (name.find('/') != std::string::npos) {
    if (const int code = check(name); code != 0) return refused(name, code);
    return name;
  }
  bool forbidden = false;
  const auto search = variable(environment, "PATH");
  for (const auto directory : split(search, ':')) {
    auto path = (directory.empty() ? "." : std::string(directory)) + "/" + name;
    const int code = check(path);
    if (code == 0) return path;
    forbidden = forbidden || code == EACCES;
  }
  if (forbidden) return refused(name, EACCES);
  return fail(kNoCommand, "exec: \"" + name + "\": executable file not found in $PATH");
}

std::string home_of(std::string_view passwd, uid_t uid) {
  for (const auto line : split(passwd, '\n')) {
    const auto fields = split(line, ':');
    if (fields.size() >= 6 && parse_int<uid_t>(fields[2]) == uid && fields[5].starts_with('/'))
      return std::string(fields[5]);
  }
  return "/";
}

}  // namespace nacre::runtime::process
