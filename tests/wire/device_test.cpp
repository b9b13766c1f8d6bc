// SPDX-License-Identifier: Apache-2.0
#include "base/fuse/device.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "base/sys/socket.h"

namespace nacre::fuse {
namespace {

// An answer in parts, as the other end of a socket that keeps message boundaries gets it.
std::string received(std::vector<std::string> parts) {
  auto ends = *sys::seqpacket_pair();
  std::vector<iovec> pieces;
  std::size_t size = 0;
  for (auto& part : parts) {
    pieces.push_back({part.data(), part.size()});
    size += part.size();
  }
  EXPECT_EQ(write_answer(ends.first.get(), pieces), static_cast<ssize_t>(size));
  std::string got(2 * size + 1, '\0');
  const auto count = ::read(ends.second.get(), got.data(), got.size());
  got.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
  return got;
}

TEST(WriteAnswer, IsOneMessageOfAllPartsWhateverTheirSizes) {
  for (const std::size_t size : {0, 1, 1400, 4079, 4080, 4081, 70000}) {
    const std::string head(16, 'h'), body(size, 'b'), end(size / 3, 'e');
    EXPECT_EQ(received({head}), head);
    EXPECT_EQ(received({head, body}), head + body) << size;
    EXPECT_EQ(received({head, body, end}), head + body + end) << size;
  }
}

TEST(WriteAnswer, DoesNotRepeatWhatWasWrittenBefore) {
  EXPECT_EQ(received({"first ", "and longer"}), "first and longer");
  EXPECT_EQ(received({"a", "b"}), "ab");
}

TEST(WriteAnswer, FailsAsTheDescriptorDoes) {
  char byte = 'x';
  for (const std::size_t count : {1, 2}) {
    const std::vector<iovec> parts(count, {&byte, 1});
    errno = 0;
    EXPECT_EQ(write_answer(-1, parts), -1);
    EXPECT_EQ(errno, EBADF);
  }
}

TEST(ReadRequest, SaysWhetherThereIsOne) {
  const auto ends = *sys::seqpacket_pair();
  std::string buffer(16, '\0');
  const int flags = ::fcntl(ends.first.get(), F_GETFL);
  ASSERT_EQ(::fcntl(ends.first.get(), F_SETFL, flags | O_NONBLOCK), 0);
  EXPECT_EQ(read_request(ends.first.get(), buffer.data(), buffer.size()), -1);
  EXPECT_EQ(errno, EAGAIN);
  ASSERT_EQ(::write(ends.second.get(), "request", 7), 7);
  EXPECT_EQ(read_request(ends.first.get(), buffer.data(), buffer.size()), 7);
  EXPECT_EQ(buffer.substr(0, 7), "request");
  EXPECT_EQ(read_request(-1, buffer.data(), buffer.size()), -1);
  EXPECT_EQ(errno, EBADF);
}

}  // namespace
}  // namespace nacre::fuse
