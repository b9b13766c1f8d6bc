// SPDX-License-Identifier: Apache-2.0
#include "fs/layer/origin.h"

#include <fcntl.h>
#include <linux/ioctl.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "base/sys/checked.h"

namespace nacre::fs {
namespace {

constexpr unsigned char kVersion = 0, kMagic = 0xfb;
constexpr unsigned char kBigEndian = 1, kAnyEndian = 2;

struct Header {
  unsigned char version;
  unsigned char magic;
  unsigned char length;  // of everything
  unsigned char flags;
  unsigned char type;
  FileSystemId file_system;
};
static_assert(sizeof(Header) == 21);

// Newer than Debian 12's <linux/fs.h>: FS_IOC_GETFSUUID, Linux 6.9, and ext4's own from 5.19.
struct Uuid2 {
  unsigned char length;
  FileSystemId uuid;
};
struct Ext4Uuid {
  std::uint32_t length;
  std::uint32_t flags;
  FileSystemId uuid;
};
constexpr unsigned long kGetUuid = _IOR(0x15, 0, Uuid2);
constexpr unsigned long kExt4GetUuid = _IOR('f', 44, std::uint64_t);

// struct file_handle ends in a flexible array.
struct Handle {
  alignas(file_handle) std::array<unsigned char, sizeof(file_handle) + MAX_HANDLE_SZ> bytes{};
  file_handle* get() { return reinterpret_cast<file_handle*>(bytes.data()); }
  unsigned char* content() { return bytes.data() + offsetof(file_handle, f_handle); }
};

}  // namespace

FileSystemId file_system_id(int fd) {
  Uuid2 any{};
  if (::ioctl(fd, kGetUuid, &any) == 0 && any.length == any.uuid.size()) return any.uuid;
  Ext4Uuid ext4{.length = sizeof(FileSystemId), .flags = 0, .uuid = {}};
  if (::ioctl(fd, kExt4GetUuid, &ext4) == 0) return ext4.uuid;
  return {};
}

Result<std::string> encode_origin(int dir, const char* name, const FileSystemId& file_system) {
  Handle handle;
  handle.get()->handle_bytes = MAX_HANDLE_SZ;
  int mount_id = 0;
  const bool itself = name[0] == '.' && name[1] == '\0';
  TRY(sys::succeed([&] {
    return ::name_to_handle_at(dir, itself ? "" : name, handle.get(), &mount_id, itself ? AT_EMPTY_PATH : 0);
  }));
  const auto size = handle.get()->handle_bytes;
  if (sizeof(Header) + size > 255) return fail(EOPNOTSUPP);
  const Header header{
      .version = kVersion,
      .magic = kMagic,
      .length = static_cast<unsigned char>(sizeof(Header) + size),
      .flags = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? kBigEndian : static_cast<unsigned char>(0),
      .type = static_cast<unsigned char>(handle.get()->handle_type),
      .file_system = file_system};
  std::string origin(header.length, '\0');
  std::memcpy(origin.data(), &header, sizeof(header));
  std::memcpy(origin.data() + sizeof(header), handle.content(), size);
  return origin;
}

Result<UniqueFd> open_origin(int mount, std::string_view origin, const FileSystemId& file_system) {
  Header header{};
  if (origin.size() <= sizeof(header)) return fail(ESTALE);
  std::memcpy(&header, origin.data(), sizeof(header));
  constexpr unsigned char kOwnEndian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? kBigEndian : 0;
  if (header.version != kVersion || header.magic != kMagic || header.length != origin.size() ||
      header.file_system != file_system ||
      ((header.flags & kAnyEndian) == 0 && (header.flags & kBigEndian) != kOwnEndian))
    return fail(ESTALE);
  Handle handle;
  const auto size = origin.size() - sizeof(header);
  if (size > MAX_HANDLE_SZ) return fail(ESTALE);
  handle.get()->handle_bytes = static_cast<unsigned>(size);
  handle.get()->handle_type = header.type;
  std::memcpy(handle.content(), origin.data() + sizeof(header), size);
  return UniqueFd{
      TRY(sys::checked([&] { return ::open_by_handle_at(mount, handle.get(), O_PATH | O_CLOEXEC); }))};
}

std::string index_name(std::string_view origin) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string name;
  name.reserve(origin.size() * 2);
  for (const char c : origin) {
    const auto byte = static_cast<unsigned char>(c);
    name += {kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return name;
}

std::optional<std::string> origin_of_index_name(std::string_view name) {
  const auto digit = [](char c) { return c >= 'a' ? c - 'a' + 10 : c - '0'; };
  if (name.size() % 2 != 0 || name.size() <= sizeof(Header) * 2) return std::nullopt;
  if (!std::ranges::all_of(name, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }))
    return std::nullopt;
  std::string origin;
  for (std::size_t i = 0; i < name.size(); i += 2)
    origin += static_cast<char>(digit(name[i]) << 4 | digit(name[i + 1]));
  return origin;
}

}  // namespace nacre::fs
