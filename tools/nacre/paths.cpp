// SPDX-License-Identifier: Apache-2.0
#include "tools/nacre/paths.h"

#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "base/parse.h"
#include "base/sys/sealed_self.h"

namespace nacre::tool {
namespace {

std::string from_environment(const char* variable, const char* standard) {
  const char* const value = std::getenv(variable);
  return value != nullptr && *value != '\0' ? value : standard;
}

bool executable(const std::string& path) { return ::access(path.c_str(), X_OK) == 0; }

}  // namespace

std::string state_directory() { return from_environment("NACRE_STATE_DIR", "/run/nacre"); }
std::string runtime_directory() { return state_directory() + "/runtime"; }
std::string data_directory() { return from_environment("NACRE_DATA_DIR", "/var/lib/nacre"); }
std::string containers_directory() { return data_directory() + "/containers"; }

std::string program(const char* name) {
  const auto self = sys::own_path();
  auto beside = self.substr(0, self.rfind('/') + 1) + name;
  if (executable(beside)) return beside;
  const auto path = from_environment("PATH", "/usr/local/bin:/usr/bin:/bin");
  for (const auto folder : split(path, ':'))
    if (const auto found = std::string(folder) + "/" + name; executable(found)) return found;
  return name;
}

}  // namespace nacre::tool
