// SPDX-License-Identifier: Apache-2.0
#include "tools/nacre/container/user.h"

#include <fcntl.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <optional>

#include "base/parse.h"
#include "base/sys/file.h"

namespace nacre::tool {
namespace {

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c) != 0; });
}

// The line of a passwd(5)-like file whose field `field` is `wanted`.
std::optional<std::vector<std::string_view>> find_line(std::string_view text, std::size_t field,
                                                       std::string_view wanted, std::size_t fields) {
  for (const auto line : split(text, '\n')) {
    auto parts = split(line, ':');
    if (parts.size() >= fields && parts[field] == wanted) return parts;
  }
  return std::nullopt;
}

Result<std::uint32_t> number(std::string_view kind, std::string_view text) {
  const auto value = parse_int<std::uint32_t>(text);
  if (!value || *value == UINT32_MAX)
    return bad_input("--user: " + std::string(kind) + " " + std::string(text) + " does not fit 32 bits");
  return *value;
}

Result<gid_t> resolve_group(std::string_view group, std::string_view text) {
  if (all_digits(text)) return number("group", text);
  const auto line = find_line(group, 0, text, 3);
  if (!line)
    return bad_input("--user: the image has no group " + std::string(text) +
                     "; use a number or one of its /etc/group");
  return number("group", (*line)[2]);
}

std::vector<gid_t> groups_with(std::string_view group, std::string_view name) {
  std::vector<gid_t> ids;
  for (const auto line : split(group, '\n')) {
    const auto parts = split(line, ':');
    if (parts.size() < 4) continue;
    const auto members = split(parts[3], ',');
    if (std::ranges::find(members, name) == members.end()) continue;
    if (const auto id = parse_int<gid_t>(parts[2])) ids.push_back(*id);
  }
  return ids;
}

std::string read_below(int root, const char* path) {
  const auto fd = sys::open_in_root(root, path, O_RDONLY | O_NONBLOCK);
  return fd ? sys::read_all(fd->get(), 1u << 20).value_or("") : "";
}

}  // namespace

Result<ResolvedUser> resolve_user_in(std::string_view passwd, std::string_view group, std::string_view text) {
  const auto colon = text.find(':');
  const auto user_text = text.empty() ? std::string_view("0") : text.substr(0, colon);
  if (user_text.empty() || (colon != std::string_view::npos && colon + 1 == text.size()))
    return bad_input("--user: \"" + std::string(text) + "\" is not USER[:GROUP]");

  ResolvedUser result;
  const bool numeric = all_digits(user_text);
  const auto line = find_line(passwd, numeric ? 2 : 0, user_text, 6);
  if (!line && !numeric)
    return bad_input("--user: the image has no user " + std::string(user_text) +
                     "; use a number or one of its /etc/passwd");
  result.user.uid = TRY(number("user", line ? (*line)[2] : user_text));
  if (line) {
    result.user.gid = TRY(number("group", (*line)[3]));
    result.home = (*line)[5].starts_with('/') ? std::string((*line)[5]) : "/";
  } else if (result.user.uid == 0) {
    result.home = "/root";
  }
  if (colon != std::string_view::npos) {
    result.user.gid = TRY(resolve_group(group, text.substr(colon + 1)));
  } else if (line) {
    result.user.additional_gids = groups_with(group, (*line)[0]);
  }
  return result;
}

Result<ResolvedUser> resolve_user(int root, std::string_view text) {
  return resolve_user_in(read_below(root, "etc/passwd"), read_below(root, "etc/group"), text);
}

}  // namespace nacre::tool
