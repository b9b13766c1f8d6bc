// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "fs/layer/layer.h"

// How layers say "removed" and "begins here": kernel overlayfs's whiteouts (character
// device 0/0, or an empty file with an xattr in a directory that allows it), its opaque
// directories in both xattr namespaces, and the ".wh." files of image archives and of
// fuse-overlayfs, which has a third namespace.
// Source: Documentation/filesystems/overlayfs.rst; OCI image-spec, layer.md.
namespace nacre::fs {

// The attributes that belong to overlay file systems themselves.
inline constexpr std::string_view kTrustedPrefix = "trusted.overlay.";
inline constexpr std::string_view kUserPrefix = "user.overlay.";
inline constexpr std::array kOwnPrefixes{kTrustedPrefix, kUserPrefix};
inline constexpr std::string_view kFuseOverlayfsPrefix = "user.fuseoverlayfs.";

inline bool is_whiteout(const struct stat& st) { return S_ISCHR(st.st_mode) && st.st_rdev == 0; }

// ".wh.NAME": NAME is removed. Nobody can have a file of such a name, as with fuse-overlayfs.
inline constexpr std::string_view kArchiveMarker = ".wh.";
inline constexpr const char* kArchiveOpaque = ".wh..wh..opq";
inline bool is_archive_marker(std::string_view name) { return name.starts_with(kArchiveMarker); }
inline std::string marker_of(std::string_view name) { return std::string(kArchiveMarker).append(name); }

// What the attributes of a directory say of the layers below it.
struct DirTraits {
  bool opaque = false;           // they count no more
  bool xattr_whiteouts = false;  // it may hold whiteouts that are so by their attribute
  std::string redirect;          // they have it elsewhere: a path from the root, or a name
};
Result<DirTraits> traits(Layer& layer, const LayerDir& dir, const char* name);
// The same as DirTraits::opaque, as image archives say it.
Result<bool> has_archive_opaque(Layer& layer, const LayerDir& dir);

// An empty regular file that is a whiteout by its xattr. Ask only in a directory with
// DirTraits::xattr_whiteouts.
Result<bool> is_xattr_whiteout(Layer& layer, const LayerDir& dir, const char* name);

// The value of an overlay attribute in either namespace; nothing if there is none, or if the
// file system has no attributes at all.
Result<std::optional<std::string>> overlay_attribute(Layer& layer, const LayerDir& dir, const char* name,
                                                     std::string_view attribute);

// "overlay.nlink": how many links a file has beyond those of the upper, "U+n", or beyond those of
// its origin, "L+n"; yields the first. `lower_links` are the origin's. `upper_links` count the
// index entry, too. Source: ovl_get_nlink() of the kernel's fs/overlayfs/inode.c.
std::optional<std::int32_t> parse_link_count(std::string_view text, std::uint64_t upper_links,
                                             std::uint64_t lower_links = 0);
std::string link_count_beyond_upper(std::int32_t more);
std::string link_count_beyond_origin(std::int64_t all, std::uint64_t lower_links);

// Data that lies elsewhere ("metacopy"): the bytes of this file are not its own.
bool is_metadata_only(int data);
// Where it lies: a path from the root ("/a/b") or another name. Nothing: under its own name.
std::optional<std::string> redirect_of(int data);

// Names of attributes: kernel overlayfs escapes "trusted.overlay.x" of a user as
// "trusted.overlay.overlay.x" on disk, so that overlays nest. We do so for both prefixes.
std::string attribute_on_disk(std::string_view attribute);
// Nothing: the attribute is the overlay's own, and hidden.
std::optional<std::string> attribute_shown(std::string_view on_disk);

}  // namespace nacre::fs
