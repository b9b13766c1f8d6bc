// SPDX-License-Identifier: Apache-2.0
#include "runtime/process/channel.h"

#include "base/parse.h"
#include "base/sys/file.h"
#include "base/sys/socket.h"

namespace nacre::runtime::process {
namespace {

// The second character of a message: where the text is.
constexpr char kInline = '=';
constexpr char kInFile = '@';  // in a memory file, the last descriptor

constexpr std::size_t kInlineLimit = sys::kMessageLimit / 2;

}  // namespace

std::string encode(const Error& error) {
  // The gate's message that quotes a very long path must still fit.
  return std::to_string(error.code) + " " + error.context.substr(0, sys::kMessageLimit / 2);
}

Error decode_error(std::string_view text) {
  const auto blank = text.find(' ');
  const auto code = blank == std::string_view::npos ? std::nullopt : parse_int<int>(text.substr(0, blank));
  if (!code) return {EPROTO, "malformed error from the container's process"};
  return {*code, std::string(text.substr(blank + 1))};
}

Result<> Channel::send(Tag tag, std::string_view text, std::span<const int> fds) {
  const std::string head(1, static_cast<char>(tag));
  if (text.size() < kInlineLimit)
    return sys::send_message(socket_.get(), head + kInline + std::string(text), fds);
  const auto file = TRY(sys::memory_file("note", text));
  std::vector<int> all(fds.begin(), fds.end());
  all.push_back(file.get());
  return sys::send_message(socket_.get(), head + kInFile, all);
}

void Channel::send_error(const Error& error) {
  // Nobody is left to tell when the other side has gone.
  static_cast<void>(send(Tag::failed, encode(error)));
}

Result<Note> Channel::receive() {
  auto message = sys::receive_message(socket_.get());
  if (!message && message.error().code == ECONNRESET) return fail(EPIPE);
  if (!message) return std::unexpected(std::move(message.error()));
  if (message->text.size() < 2) return fail(EPIPE);
  Note note{static_cast<Tag>(message->text.front()), message->text.substr(2), std::move(message->fds)};
  if (message->text[1] == kInFile) {
    if (note.fds.empty()) return fail(EPROTO, "a note of the container's process without its text");
    note.text = TRY(sys::read_all(note.fds.back().get()));
    note.fds.pop_back();
  }
  if (note.tag == Tag::failed) return std::unexpected(decode_error(note.text));
  return note;
}

Result<Note> Channel::expect(Tag tag) {
  auto note = TRY(receive());
  if (note.tag != tag)
    return fail(EPROTO, std::string("expected message ") + static_cast<char>(tag) + ", got " +
                            static_cast<char>(note.tag));
  return note;
}

}  // namespace nacre::runtime::process
