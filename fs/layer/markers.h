// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>
#include <string_view>

#include "fs/layer/layer.h"

// How layers say "removed" and "begins here": kernel overlayfs's whiteouts (character
// device 0/0, or an empty file with an xattr in a directory that allows it), its opaque
// directories in both xattr namespaces, and the ".wh." files of image archives.
// Source: Documentation/filesystems/overlayfs.rst; OCI image-spec, layer.md.
namespace nacre::fs {

// The attributes that belong to overlay file systems themselves.
inline constexpr std::string_view kTrustedPrefix = "trusted.overlay.";
inline constexpr std::string_view kUserPrefix = "user.overlay.";

inline bool is_whiteout(const struct stat& st) { return S_ISCHR(st.st_mode) && st.st_rdev == 0; }

// ".wh.NAME" of an image archive. Such names are markers in lower layers only.
inline constexpr std::string_view kArchiveMarker = ".wh.";
inline constexpr const char* kArchiveOpaque = ".wh..wh..opq";
inline bool is_archive_marker(std::string_view name) { return name.starts_with(kArchiveMarker); }

enum class Opacity { transparent, opaque, holds_xattr_whiteouts };

// What a directory's xattr says; of a lower layer, the archive's file counts as well.
Result<Opacity> opacity(Layer& layer, const LayerDir& dir, bool archive_dialect);

// An empty regular file that is a whiteout by its xattr. Ask only in a directory that
// Opacity::holds_xattr_whiteouts.
Result<bool> is_xattr_whiteout(Layer& layer, const LayerDir& dir, const char* name);

// Data that lies elsewhere ("metacopy"): the bytes of this file are not its own.
bool is_metadata_only(int data);

// Names of attributes: kernel overlayfs escapes "trusted.overlay.x" of a user as
// "trusted.overlay.overlay.x" on disk, so that overlays nest. We do so for both prefixes.
std::string attribute_on_disk(std::string_view attribute);
// Nothing: the attribute is the overlay's own, and hidden.
std::optional<std::string> attribute_shown(std::string_view on_disk);

}  // namespace nacre::fs
