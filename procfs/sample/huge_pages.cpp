// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>

#include <array>
#include <cstdint>

#include "base/parse.h"
#include "base/sys/file.h"
#include "procfs/sample/number.h"
#include "procfs/sample/sample.h"

namespace nacre::procfs {
namespace {

// mm/hugetlb_cgroup.c, mem_fmt().
std::string size_name(std::uint64_t kib) {
  if (kib >= 1u << 20) return std::to_string(kib >> 20) + "GB";
  if (kib >= 1u << 10) return std::to_string(kib >> 10) + "MB";
  return std::to_string(kib) + "KB";
}

// "hugepages-2048kB" -> 2048.
std::optional<std::uint64_t> size_in(std::string_view name) {
  constexpr std::string_view kBefore = "hugepages-", kAfter = "kB";
  if (!name.starts_with(kBefore) || !name.ends_with(kAfter)) return std::nullopt;
  name.remove_prefix(kBefore.size());
  name.remove_suffix(kAfter.size());
  return parse_int<std::uint64_t>(name);
}

}  // namespace

// Documentation/admin-guide/mm/hugetlbpage.rst.
Result<std::vector<HugePagePool>> host_huge_pages(HotFiles& files, const std::string& directory) {
  std::vector<HugePagePool> pools;
  const auto opened = TRY(sys::open_at(AT_FDCWD, directory.c_str(), O_RDONLY | O_DIRECTORY));
  for (const auto& entry : TRY(sys::list_directory(opened.get()))) {
    const auto kib = size_in(entry.name);
    if (!kib) continue;
    const auto pages = TRY(number(files, directory + "/" + entry.name + "/nr_hugepages"));
    if (pages == 0) continue;
    const auto free = TRY(number(files, directory + "/" + entry.name + "/free_hugepages"));
    const auto page = *kib * 1024;
    pools.push_back({.name = size_name(*kib), .page = page, .total = pages * page, .free = free * page});
  }
  return pools;
}

// cgroup-v2.rst, "HugeTLB"; cgroup-v1/hugetlb.rst.
Result<std::vector<HugePagePool>> sample_huge_pages(HotFiles& files, const Places& places,
                                                    const std::vector<HugePagePool>& host) {
  auto pools = host;
  if (!places.hugetlb) return pools;
  const bool v2 = places.hugetlb->v2;
  for (auto& pool : pools)
    for (const auto& directory : places.hugetlb->levels) {
      const auto file = directory + "/hugetlb." + pool.name;
      pool.levels.push_back(
          {TRY(number_or(files, file + (v2 ? ".max" : ".limit_in_bytes"), cgroup::kUnlimited)),
           TRY(number_or(files, file + (v2 ? ".current" : ".usage_in_bytes"), 0))});
    }
  return pools;
}

}  // namespace nacre::procfs
