// SPDX-License-Identifier: Apache-2.0
#include "procfs/view_mounts.h"

#include <gmock/gmock.h>

#include <optional>

#include "procfs/file_table.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/procfs/fake_mounts.h"
#include "tests/unit/procfs/fixture.h"

namespace nacre::procfs {
namespace {

using test::FailsWith;
using test::Succeeds;

Result<sys::Message> name_registered(const sys::Message& question, int kept) {
  if (question.text.starts_with("containers/.")) return fail(EMFILE);
  return name_all(question, kept);
}
const sys::HelperKind kNothingAhead{.name = "fake-mounts",
                                    .capabilities = {},
                                    .calls = kFakeMountCalls,
                                    .keeps = false,
                                    .answer = name_registered};

Result<sys::Message> end_ahead(const sys::Message& question, int kept) {
  if (question.text.starts_with("containers/.")) ::_exit(0);
  return name_all(question, kept);
}
const sys::HelperKind kEnding{
    .name = "fake-mounts", .capabilities = {}, .calls = kFakeMountCalls, .keeps = false, .answer = end_ahead};

class ViewMountsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    machine.cgroups.create("/box");
    use(kFakeMounts);
  }
  void use(const sys::HelperKind& kind) {
    mounts.reset();
    cloner.reset();
    helpers = std::move(*sys::Helpers::start({&kind}, nothing.get()));
    cloner.emplace(*helpers, kind);
    mounts.emplace(*cloner, machine.registry);
  }

  // From here on there is something to do ahead.
  void need_one() { EXPECT_EQ(opened(*add("needed")), "containers/needed"); }
  // As the control thread does.
  ContainerRef add(const std::string& id) {
    const control::Registration registration{id, ::getpid(), "/box"};
    const auto container = machine.registry.add(registration, mounts->next_number());
    EXPECT_THAT(container, Succeeds());
    return *container;
  }
  // Where the mounts were made.
  std::string opened(const Container& container) {
    const auto views = mounts->open(container);
    if (!views) return views.error().message();
    EXPECT_EQ(views->size(), attach_table().size());
    std::string directory;
    for (const auto& [target, mount] : *views) {
      const auto path = *sys::read_all(mount.get());
      const auto name = target.substr(target.find_last_of('/'));
      EXPECT_THAT(path, ::testing::EndsWith(name));
      directory = path.substr(0, path.size() - name.size());
    }
    return directory;
  }
  static std::string ahead(const Container& container) {
    return "containers/." + std::to_string(container.number());
  }

  FakeMachine machine{cgroup::Mode::unified};
  UniqueFd nothing = std::move(*sys::memory_file("nothing", ""));
  std::optional<sys::Helpers> helpers;
  std::optional<sys::MountCloner> cloner;
  std::optional<ViewMounts> mounts;
};

TEST_F(ViewMountsTest, AreClonedWhenTheyAreAskedForAtTheLatest) {
  const auto box = add("box");
  EXPECT_EQ(mounts->descriptor(), -1);
  EXPECT_EQ(opened(*box), "containers/box");
}

TEST_F(ViewMountsTest, NothingIsDoneAheadOfTheFirst) {
  EXPECT_EQ(clone_ahead(*mounts), 0);
  need_one();
  EXPECT_GT(clone_ahead(*mounts), 0);
}

TEST_F(ViewMountsTest, ThoseOfTheNextContainersAreClonedAhead) {
  need_one();
  const int times = clone_ahead(*mounts);
  EXPECT_GT(times, 0);
  for (int i = 0; i < times; ++i) {
    const auto box = add("box" + std::to_string(i));
    EXPECT_EQ(opened(*box), ahead(*box));
  }
  const auto late = add("late");
  EXPECT_EQ(opened(*late), "containers/late");
  EXPECT_EQ(clone_ahead(*mounts), times);
}

TEST_F(ViewMountsTest, ThoseThatAreBeingClonedAreWaitedFor) {
  need_one();
  mounts->work_ahead();
  EXPECT_GE(mounts->descriptor(), 0);
  const auto box = add("box");
  EXPECT_EQ(opened(*box), ahead(*box));
  EXPECT_EQ(mounts->descriptor(), -1);
}

TEST_F(ViewMountsTest, EachContainerHasItsOwn) {
  need_one();
  clone_ahead(*mounts);
  // A number that is nobody's who comes next.
  const auto box = *machine.registry.add({"box", ::getpid(), "/box"});
  EXPECT_EQ(opened(*box), "containers/box");
  mounts->work_ahead();
  const auto other = add("other");
  EXPECT_EQ(opened(*other), ahead(*other));
  EXPECT_EQ(opened(*other), "containers/other");
  // A registration that is refused uses none.
  EXPECT_THAT(machine.registry.add({"other", ::getpid(), "/box"}, mounts->next_number()), FailsWith(EEXIST));
  const auto third = add("third");
  EXPECT_EQ(opened(*third), ahead(*third));
}

TEST_F(ViewMountsTest, OneThatAsksAgainDoesNotTakeThoseThatAreBeingCloned) {
  const auto box = add("box");
  EXPECT_EQ(opened(*box), "containers/box");
  mounts->work_ahead();
  EXPECT_GE(mounts->descriptor(), 0);
  EXPECT_EQ(opened(*box), "containers/box");
  const auto other = add("other");
  EXPECT_EQ(opened(*other), ahead(*other));
}

TEST_F(ViewMountsTest, AHelperThatEndsMeanwhileIsReplaced) {
  use(kEnding);
  need_one();
  mounts->work_ahead();
  const auto box = add("box");
  EXPECT_EQ(opened(*box), "containers/box");
  EXPECT_EQ(clone_ahead(*mounts), 1);  // tried again, since somebody needed them
  EXPECT_EQ(opened(*add("other")), "containers/other");
}

TEST_F(ViewMountsTest, WhatCannotBeClonedIsTriedAgainWhenSomebodyNeedsIt) {
  use(kNothingAhead);
  need_one();
  EXPECT_EQ(clone_ahead(*mounts), 1);
  EXPECT_EQ(clone_ahead(*mounts), 0);
  const auto box = add("box");
  EXPECT_EQ(opened(*box), "containers/box");
  mounts->work_ahead();
  EXPECT_GE(mounts->descriptor(), 0);
  EXPECT_EQ(opened(*box), "containers/box");
  EXPECT_THAT(mounts->open(*add("gone")), FailsWith(ENOENT));
}

}  // namespace
}  // namespace nacre::procfs
