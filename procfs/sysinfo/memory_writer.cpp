// SPDX-License-Identifier: Apache-2.0
#include "procfs/sysinfo/memory_writer.h"

#include <unistd.h>

#include <string>

#include "base/parse.h"
#include "base/sys/checked.h"

namespace nacre::procfs {
namespace {

// A question is the address, a line, and the bytes, with the memory.
Result<sys::Message> write_it(const sys::Message& question, int) {
  const auto end = question.text.find('\n');
  const auto address = parse_int<std::uint64_t>(question.text.substr(0, end));
  if (!address || question.fds.size() != 1) return fail(EINVAL, "malformed question");
  const auto bytes = std::string_view(question.text).substr(end + 1);
  const auto written = sys::checked([&] {
    return ::pwrite(question.fds[0].get(), bytes.data(), bytes.size(), static_cast<off_t>(*address));
  });
  if (!written || *written != static_cast<ssize_t>(bytes.size())) return fail(EFAULT);
  return sys::Message{};
}

}  // namespace

// The right to write came with opening the memory.
const sys::HelperKind MemoryWriter::kKind{
    .name = "nacre-memory", .capabilities = {}, .calls = {}, .answer = write_it};

Result<> MemoryWriter::write(int memory, std::uint64_t address, std::string_view bytes) {
  auto question = std::to_string(address);
  question += '\n';
  question += bytes;
  TRY(helper_.ask(question, {&memory, 1}, {.interrupt = interrupt_}));
  return {};
}

}  // namespace nacre::procfs
