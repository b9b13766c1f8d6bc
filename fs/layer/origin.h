// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

// File handles as kernel overlayfs stores them in "overlay.origin", to find the lower file that
// a copy was made of, and as the names of its index entries: struct ovl_fb of the kernel's
// fs/overlayfs/overlayfs.h, with the file handle of name_to_handle_at(2) in it.
namespace nacre::fs {

using FileSystemId = std::array<unsigned char, 16>;

// The UUID of the file system of `fd` (not O_PATH); zeros where the kernel does not tell.
FileSystemId file_system_id(int fd);

// The handle of (dir, name), or of `dir` itself for ".". EOPNOTSUPP where there are none.
Result<std::string> encode_origin(int dir, const char* name, const FileSystemId& file_system);

// The O_PATH descriptor of the file behind a handle; `mount` is any descriptor (not O_PATH) on its
// file system. ESTALE for a handle of another file system or a file that is gone; EPERM without
// CAP_DAC_READ_SEARCH.
Result<UniqueFd> open_origin(int mount, std::string_view origin, const FileSystemId& file_system);

// The name of its index entry: hexadecimal, as bin2hex() of the kernel writes it.
std::string index_name(std::string_view origin);
// The other way round; nothing for a name that is none.
std::optional<std::string> origin_of_index_name(std::string_view name);

}  // namespace nacre::fs
