// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "runtime/plan/plan.h"
#include "runtime/spec/parse.h"
#include "runtime/spec/validate.h"

// config.json comes from whoever made the bundle. What is accepted must survive being written
// and read again, and have a plan or a reason why not.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nacre::runtime;
  const auto spec = spec::parse({reinterpret_cast<const char*>(data), size});
  if (!spec) return 0;
  const auto text = spec::to_json(*spec);
  const auto again = spec::parse(text);
  if (!again || spec::to_json(*again) != text) std::abort();
  if (!spec::validate(*spec)) return 0;
  const auto made = plan::make_plan(*spec, {.bundle = "/bundle",
                                            .root_given = false,
                                            .pivot = true,
                                            .hierarchies = {{"/sys/fs/cgroup", "/", {"cpu"}, true}},
                                            .cgroup_path = "/x"});
  if (made)
    for (const auto& step : made->steps) static_cast<void>(plan::detail(step));
  return 0;
}
