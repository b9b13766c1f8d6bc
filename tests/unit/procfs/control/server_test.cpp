// SPDX-License-Identifier: Apache-2.0
#include "procfs/control/server.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <thread>

#include "base/sys/file.h"
#include "base/sys/process.h"
#include "base/sys/socket.h"
#include "procfs/file_table.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/procfs/fake_mounts.h"
#include "tests/unit/procfs/fixture.h"

namespace nacre::procfs {
namespace {

using namespace std::chrono_literals;
using control::Client;
using test::FailsSaying;
using test::FailsWith;
using test::Succeeds;

class ServerTest : public ::testing::Test {
 protected:
  void SetUp() override { machine.cgroups.create("/box"); }
  void TearDown() override { end(); }

  void start(std::optional<std::chrono::milliseconds> idle_exit = std::nullopt, UniqueFd listener = {}) {
    if (!listener) listener = std::move(*sys::listen_seqpacket(path));
    supervisor = std::move(*Supervisor::start(machine.registry, helpers,
                                              {.keep = [](const auto&, int) { return Result<>(); },
                                               .drop = [](const auto&) {},
                                               .calls = calls.get()}));
    service.emplace(machine.registry, *supervisor, mounts.emplace(cloner, machine.registry));
    server.emplace(
        *Server::create(*service, std::move(listener), *sys::listen_stream(path + ".seccomp"),
                        {.path = path, .idle_exit = idle_exit, .on_idle = [this] { left = true; }}));
    thread = std::thread([this] { server->run(); });
  }
  void end() {
    if (!thread.joinable()) return;
    server->stop();
    thread.join();
  }
  control::Registration box() { return {"box", ::getpid(), "/box", 0, false}; }

  FakeMachine machine{cgroup::Mode::hybrid};
  std::string path = machine.cgroups.root() + "/control";
  UniqueFd calls = std::move(*PendingCalls::create());
  sys::Helpers helpers = std::move(*sys::Helpers::start({&MemoryWriter::kKind, &kFakeMounts}, calls.get()));
  sys::MountCloner cloner{helpers, kFakeMounts};
  std::unique_ptr<Supervisor> supervisor;
  std::optional<ViewMounts> mounts;
  std::optional<Service> service;
  std::optional<Server> server;
  std::thread thread;
  std::atomic<bool> left = false;
};

TEST_F(ServerTest, AContainersLife) {
  start();
  auto client = *Client::connect(path);
  auto mounts = client.add(box());
  ASSERT_THAT(mounts, Succeeds());
  ASSERT_EQ(mounts->size(), attach_table().size());
  for (const auto& [target, mount] : *mounts)
    EXPECT_THAT(*sys::read_all(mount.get()), ::testing::EndsWith(target.substr(target.find_last_of('/'))));
  EXPECT_THAT(client.add(box()), FailsWith(EEXIST));
  const auto status = client.status();
  ASSERT_THAT(status, Succeeds());
  EXPECT_EQ(status->pid, ::getpid());
  EXPECT_EQ(status->containers, 1u);
  EXPECT_GT(status->descriptors, 5u);
  EXPECT_THAT(client.remove("box"), Succeeds());
  EXPECT_THAT(client.remove("box"), Succeeds());
  EXPECT_EQ(client.status()->containers, 0u);
}

TEST_F(ServerTest, GoesOnToCloneMountsAhead) {
  start();
  auto client = *Client::connect(path);
  for (int i = 0; i < 10; ++i) {
    auto registration = box();
    registration.id += std::to_string(i);
    const auto views = client.add(registration);
    ASSERT_THAT(views, Succeeds());
    const auto first = i == 0 ? "containers/box0/" : "containers/.";
    EXPECT_THAT(*sys::read_all(views->front().mount.get()), ::testing::StartsWith(first));
  }
}

TEST_F(ServerTest, ErrorsCarryTheDaemonsOwnWords) {
  start();
  auto client = *Client::connect(path);
  auto registration = box();
  registration.cgroup_path = "/none";
  EXPECT_THAT(client.add(registration), FailsSaying("container box: cgroup /none"));
  EXPECT_THAT(client.add_listener("box", 0), FailsSaying("not registered"));
  ASSERT_THAT(client.add(box()), Succeeds());
  const auto file = *sys::memory_file("x", "");
  EXPECT_THAT(client.add_listener("box", file.get()), FailsSaying("no seccomp listener"));
  EXPECT_EQ(client.status()->containers, 1u);
}

TEST_F(ServerTest, WithoutADaemonConnectingFailsAtOnce) {
  EXPECT_THAT(Client::connect(path), FailsWith(ENOENT));
  start();
  end();
  EXPECT_THAT(Client::connect(path), FailsWith(ECONNREFUSED));
}

TEST_F(ServerTest, AnotherVersionIsToldBothNumbers) {
  start();
  const auto socket = *sys::connect_seqpacket(path);
  ASSERT_THAT(sys::send_message(socket.get(), R"({"op":"hello","version":99})"), Succeeds());
  const auto answer = control::decode_answer(sys::receive_message(socket.get())->text);
  ASSERT_TRUE(answer && answer->error);
  EXPECT_THAT(answer->error->context,
              ::testing::AllOf(::testing::HasSubstr("99"), ::testing::HasSubstr(" 1")));
  // And nothing else is served.
  ASSERT_THAT(sys::send_message(socket.get(), R"({"op":"status"})"), Succeeds());
  EXPECT_TRUE(control::decode_answer(sys::receive_message(socket.get())->text)->error);
}

// The other side of the handshake: a client finds a daemon of another version.
TEST_F(ServerTest, AClientNamesBothVersionsToo) {
  const auto listener = *sys::listen_seqpacket(path);
  std::thread stranger([&] {
    const auto socket = *sys::accept_connection(listener.get());
    static_cast<void>(sys::receive_message(socket.get()));
    static_cast<void>(sys::send_message(socket.get(), R"({"version":7,"errno":71,"error":"?"})"));
  });
  EXPECT_THAT(Client::connect(path), FailsSaying("speaks control protocol 7, this program 1"));
  stranger.join();
}

// The daemon has done what it was asked to, and is killed before it says so.
TEST_F(ServerTest, AClientAsksTheSuccessorOnceMore) {
  auto listener = *sys::listen_seqpacket(path);
  std::thread predecessor([&] {
    const auto socket = *sys::accept_connection(listener.get());
    static_cast<void>(sys::receive_message(socket.get()));
    static_cast<void>(sys::send_message(socket.get(), R"({"version":1})"));
    static_cast<void>(sys::receive_message(socket.get()));
    ASSERT_THAT(machine.registry.add(box()), Succeeds());
  });
  auto client = *Client::connect(path);
  std::thread successor([&] {
    predecessor.join();
    start(std::nullopt, std::move(listener));
  });
  const auto mounts = client.add(box());
  successor.join();
  ASSERT_THAT(mounts, Succeeds());
  EXPECT_EQ(mounts->size(), attach_table().size());
  EXPECT_EQ(client.status()->containers, 1u);
  // Another container of that name is none of its own.
  EXPECT_THAT(client.add(box()), FailsWith(EEXIST));
  auto other = box();
  other.again = true;
  other.physical_cpus = true;
  EXPECT_THAT(client.add(other), FailsWith(EEXIST));
}

TEST_F(ServerTest, NoiseDoesNoHarm) {
  start();
  auto client = *Client::connect(path);
  const auto noisy = *sys::connect_seqpacket(path);
  const auto file = *sys::memory_file("x", "");
  for (const auto& text :
       {std::string("{"), std::string(60000, '['), std::string("\0\0", 2), std::string(R"({"op":"add"})")}) {
    const int fds[] = {file.get(), file.get()};
    ASSERT_THAT(sys::send_message(noisy.get(), text, fds), Succeeds());
    EXPECT_TRUE(control::decode_answer(sys::receive_message(noisy.get())->text)->error);
  }
  // One that never reads its answers loses its connection, and nobody waits for it.
  const auto deaf = *sys::connect_seqpacket(path);
  ASSERT_EQ(::fcntl(deaf.get(), F_SETFL, O_NONBLOCK), 0);
  for (int i = 0; i < 20'000; ++i)
    if (!sys::send_message(deaf.get(), "{") && errno == EPIPE) break;
  EXPECT_THAT(client.status(), Succeeds());
}

TEST_F(ServerTest, DescriptorsOfRefusedRequestsAreClosed) {
  start();
  auto client = *Client::connect(path);
  const auto before = client.status()->descriptors;
  const auto file = *sys::memory_file("x", "");
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(client.add_listener("nobody", file.get()));
  EXPECT_EQ(client.status()->descriptors, before + 1);  // our own file
}

TEST_F(ServerTest, LeavesWhenIdleAndNotBefore) {
  start(100ms);
  {
    auto client = *Client::connect(path);
    ASSERT_THAT(client.add(box()), Succeeds());
  }
  std::this_thread::sleep_for(300ms);
  EXPECT_FALSE(left);
  ASSERT_THAT(Client::connect(path)->remove("box"), Succeeds());
  for (int i = 0; i < 500 && !left; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_TRUE(left);
}

TEST_F(ServerTest, ADeadInitIsForgotten) {
  start();
  const pid_t child = ::fork();
  if (child == 0) {
    ::pause();
    ::_exit(0);
  }
  auto client = *Client::connect(path);
  auto registration = box();
  registration.init = child;
  ASSERT_THAT(client.add(registration), Succeeds());
  ::kill(child, SIGKILL);
  static_cast<void>(sys::wait_for(child));
  for (int i = 0; i < 500 && machine.registry.size() != 0; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(machine.registry.size(), 0u);
  EXPECT_THAT(client.add(box()), Succeeds());
}

}  // namespace
}  // namespace nacre::procfs
