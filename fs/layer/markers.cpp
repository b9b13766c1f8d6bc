// SPDX-License-Identifier: Apache-2.0
#include "fs/layer/markers.h"

#include <sys/xattr.h>

#include <algorithm>
#include <array>

#include "base/parse.h"

namespace nacre::fs {
namespace {

constexpr std::array kAllPrefixes{kTrustedPrefix, kUserPrefix, kFuseOverlayfsPrefix};
constexpr std::string_view kEscape = "overlay.";

}  // namespace

Result<std::optional<std::string>> overlay_attribute(Layer& layer, const LayerDir& dir, const char* name,
                                                     std::string_view attribute) {
  for (const auto prefix : kOwnPrefixes) {
    auto value = layer.get_xattr(dir, name, (std::string(prefix) + std::string(attribute)).c_str());
    if (value) return std::move(*value);
    const int code = value.error().code;
    if (code != ENODATA && code != EOPNOTSUPP && code != EPERM && code != EACCES) return fail(code);
  }
  return std::nullopt;
}

std::optional<std::int32_t> parse_link_count(std::string_view text, std::uint64_t upper_links,
                                             std::uint64_t lower_links) {
  if (text.size() < 3 || (text[0] != 'U' && text[0] != 'L') || (text[1] != '+' && text[1] != '-'))
    return std::nullopt;
  const auto number = parse_int<std::int32_t>(text.substr(2));
  if (!number) return std::nullopt;
  const std::int32_t more = text[1] == '-' ? -*number : *number;
  if (text[0] == 'U') return more;
  if (lower_links == 0) return std::nullopt;
  return static_cast<std::int32_t>(static_cast<std::int64_t>(lower_links) + more -
                                   static_cast<std::int64_t>(upper_links));
}

std::string link_count_beyond_upper(std::int32_t more) {
  return (more < 0 ? "U-" : "U+") + std::to_string(more < 0 ? -more : more);
}

std::string link_count_beyond_origin(std::int64_t all, std::uint64_t lower_links) {
  const auto more = all - static_cast<std::int64_t>(lower_links);
  return (more < 0 ? "L-" : "L+") + std::to_string(more < 0 ? -more : more);
}

Result<DirTraits> traits(Layer& layer, const LayerDir& dir, const char* name) {
  DirTraits found;
  for (const auto& attribute : TRY(layer.list_xattrs(dir, name))) {
    const auto prefix = std::ranges::find_if(kAllPrefixes, [&](auto p) { return attribute.starts_with(p); });
    if (prefix == kAllPrefixes.end()) continue;
    const auto kind = std::string_view(attribute).substr(prefix->size());
    if (kind != "opaque" && kind != "redirect") continue;
    auto value = TRY(layer.get_xattr(dir, name, attribute.c_str()));
    if (kind == "redirect") {
      if (*prefix != kFuseOverlayfsPrefix) found.redirect = std::move(value);
    } else if (value == "y") {
      found.opaque = true;
    } else if (value == "x") {
      found.xattr_whiteouts = true;
    }
  }
  return found;
}

Result<bool> has_archive_opaque(Layer& layer, const LayerDir& dir) {
  const auto marker = layer.stat(dir, kArchiveOpaque);
  if (marker) return true;
  if (marker.error().code == ENOENT) return false;
  return fail(marker.error().code);
}

Result<bool> is_xattr_whiteout(Layer& layer, const LayerDir& dir, const char* name) {
  return TRY(overlay_attribute(layer, dir, name, "whiteout")).has_value();
}

bool is_metadata_only(int data) {
  return ::fgetxattr(data, "trusted.overlay.metacopy", nullptr, 0) >= 0 ||
         ::fgetxattr(data, "user.overlay.metacopy", nullptr, 0) >= 0;
}

std::optional<std::string> redirect_of(int data) {
  for (const char* const name : {"trusted.overlay.redirect", "user.overlay.redirect"}) {
    std::string value(4096, '\0');
    const auto size = ::fgetxattr(data, name, value.data(), value.size());
    if (size <= 0) continue;
    value.resize(static_cast<std::size_t>(size));
    return value;
  }
  return std::nullopt;
}

std::string attribute_on_disk(std::string_view attribute) {
  for (const auto prefix : kOwnPrefixes)
    if (attribute.starts_with(prefix))
      return std::string(prefix) + std::string(kEscape) + std::string(attribute.substr(prefix.size()));
  return std::string(attribute);
}

std::optional<std::string> attribute_shown(std::string_view on_disk) {
  if (on_disk.starts_with(kFuseOverlayfsPrefix)) return std::nullopt;
  for (const auto prefix : kOwnPrefixes) {
    if (!on_disk.starts_with(prefix)) continue;
    const auto rest = on_disk.substr(prefix.size());
    if (!rest.starts_with(kEscape)) return std::nullopt;
    return std::string(prefix) + std::string(rest.substr(kEscape.size()));
  }
  return std::string(on_disk);
}

}  // namespace nacre::fs
