// SPDX-License-Identifier: Apache-2.0
#include "fs/layer/markers.h"

#include <sys/xattr.h>

#include <array>

namespace nacre::fs {
namespace {

constexpr std::array kPrefixes{kTrustedPrefix, kUserPrefix};
constexpr std::string_view kEscape = "overlay.";

// The value of an overlay attribute in either namespace; nothing if it has none, or if the
// file system has no attributes at all.
Result<std::optional<std::string>> overlay_attribute(Layer& layer, const LayerDir& dir, const char* name,
                                                     std::string_view attribute) {
  for (const auto prefix : kPrefixes) {
    auto value = layer.get_xattr(dir, name, (std::string(prefix) + std::string(attribute)).c_str());
    if (value) return std::move(*value);
    const int code = value.error().code;
    if (code != ENODATA && code != EOPNOTSUPP && code != EPERM && code != EACCES) return fail(code);
  }
  return std::nullopt;
}

}  // namespace

Result<Opacity> opacity(Layer& layer, const LayerDir& dir, bool archive_dialect) {
  const auto value = TRY(overlay_attribute(layer, dir, ".", "opaque"));
  if (value == "y") return Opacity::opaque;
  if (archive_dialect) {
    const auto marker = layer.stat(dir, kArchiveOpaque);
    if (marker) return Opacity::opaque;
    if (marker.error().code != ENOENT) return fail(marker.error().code);
  }
  return value == "x" ? Opacity::holds_xattr_whiteouts : Opacity::transparent;
}

Result<bool> is_xattr_whiteout(Layer& layer, const LayerDir& dir, const char* name) {
  return TRY(overlay_attribute(layer, dir, name, "whiteout")).has_value();
}

bool is_metadata_only(int data) {
  return ::fgetxattr(data, "trusted.overlay.metacopy", nullptr, 0) >= 0 ||
         ::fgetxattr(data, "user.overlay.metacopy", nullptr, 0) >= 0;
}

std::string attribute_on_disk(std::string_view attribute) {
  for (const auto prefix : kPrefixes)
    if (attribute.starts_with(prefix))
      return std::string(prefix) + std::string(kEscape) + std::string(attribute.substr(prefix.size()));
  return std::string(attribute);
}

std::optional<std::string> attribute_shown(std::string_view on_disk) {
  for (const auto prefix : kPrefixes) {
    if (!on_disk.starts_with(prefix)) continue;
    const auto rest = on_disk.substr(prefix.size());
    if (!rest.starts_with(kEscape)) return std::nullopt;
    return std::string(prefix) + std::string(rest.substr(kEscape.size()));
  }
  return std::string(on_disk);
}

}  // namespace nacre::fs
