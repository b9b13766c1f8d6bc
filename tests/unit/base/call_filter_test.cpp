// SPDX-License-Identifier: Apache-2.0
#include "base/sys/call_filter.h"

#include <gtest/gtest.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <functional>
#include <thread>

namespace nacre::sys {
namespace {

constexpr std::array kCalls{SCMP_SYS(umask), SCMP_SYS(mkdir), SCMP_SYS(mkdirat)};
constexpr std::array kConditional{ConditionalCall{SCMP_SYS(socket), 0, UINT64_MAX, AF_UNIX}};

// Whether `body` is true in a child, because a filter never comes off again.
bool filtered(const std::function<bool()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    ::_exit(allow_only(kCalls, kConditional) && body() ? 0 : 1);
  }
  int status = 0;
  return ::waitpid(child, &status, 0) == child && status == 0;
}

bool refused(long result) { return result == -1 && errno == EPERM; }

TEST(CallFilter, WhatWasNotAskedForIsRefused) {
  if (!kConfinable) return;
  EXPECT_TRUE(filtered([] { return refused(::fork()); }));
  EXPECT_TRUE(filtered([] { return refused(::kill(::getppid(), 0)); }));
  EXPECT_TRUE(filtered([] { return refused(::execl("/bin/false", "false", nullptr)); }));
  EXPECT_TRUE(filtered([] { return refused(::socket(AF_INET, SOCK_STREAM, 0)); }));
  EXPECT_TRUE(filtered([] { return refused(::unlink("/no/such/file")); }));
}

TEST(CallFilter, WhatWasAskedForIsAllowed) {
  if (!kConfinable) return;
  EXPECT_TRUE(filtered([] { return ::mkdir("/", 0755) == -1 && errno == EEXIST; }));
  EXPECT_TRUE(filtered([] { return ::kill(::getpid(), 0) == 0; }));
}

TEST(CallFilter, AConditionIsOnOneArgument) {
  if (!kConfinable) return;
  EXPECT_TRUE(filtered([] { return ::socket(AF_UNIX, SOCK_STREAM, 0) >= 0; }));
  EXPECT_TRUE(filtered([] { return refused(::socket(AF_INET, SOCK_STREAM, 0)); }));
}

TEST(CallFilter, ThreadsStartAndAreFiltered) {
  if (!kConfinable) return;
  EXPECT_TRUE(filtered([] {
    bool thread_refused = false;
    std::thread([&] { thread_refused = refused(::kill(::getppid(), 0)); }).join();
    return thread_refused;
  }));
}

}  // namespace
}  // namespace nacre::sys
