// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/parse.h"
#include "base/sys/file.h"
#include "fs/layer/directory_layer.h"
#include "fs/layer/upper_directory.h"
#include "fs/overlay_fs.h"
#include "tests/support/faulty_layer.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tree_builder.h"

namespace nacre::fs {

// A union of real directories, used by paths as a program would. Set the scene with lower()
// and upper(), then start(). Needs no privilege.
class OverlayTest : public ::testing::Test {
 protected:
  OverlayTest() {
    old_umask_ = ::umask(0);
    for (const char* name : {"lower1", "lower2", "upper", "work", "index"})
      static_cast<void>(sys::make_directories(temp_ / name));
  }
  ~OverlayTest() override { ::umask(old_umask_); }

  test::TreeBuilder lower(test::TreeBuilder::Files files = {}) {
    return test::TreeBuilder(temp_ / "lower1").files(files);
  }
  test::TreeBuilder lower2(test::TreeBuilder::Files files = {}) {
    return test::TreeBuilder(temp_ / "lower2").files(files);
  }
  test::TreeBuilder upper(test::TreeBuilder::Files files = {}) {
    return test::TreeBuilder(temp_ / "upper").files(files);
  }
  std::vector<std::string> upper_names() const { return test::TreeBuilder(temp_ / "upper").names(); }
  std::vector<std::string> work_names() const { return test::TreeBuilder(temp_ / "work").names(); }

  static UniqueFd directory(const std::string& path) {
    auto fd = sys::open_at(AT_FDCWD, path.c_str(), O_PATH | O_DIRECTORY);
    EXPECT_THAT(fd, test::Succeeds());
    return std::move(*fd);
  }

  void start(bool writable = true) {
    OverlayConfig config;
    config.sync = false;
    config.redirect_dir = config.metacopy = afar_;
    config.data_only_layers = data_only_;
    config.open_directories = 8;  // small, so that directories are opened again and again
    for (const char* name : {"lower1", "lower2"})
      config.lowers.push_back(std::make_unique<DirectoryLayer>(directory(temp_ / name)));
    if (writable) {
      auto layer =
          UpperDirectory::create(directory(temp_ / "upper"), directory(temp_ / "work"),
                                 directory(temp_ / "index"), {.user_xattrs = true, .markers = false});
      ASSERT_THAT(layer, test::Succeeds());
      auto faulty = std::make_unique<test::FaultyLayer>(std::move(*layer));
      faulty_ = faulty.get();
      config.upper = std::move(faulty);
    }
    auto created = OverlayFs::create(std::move(config));
    ASSERT_THAT(created, test::Succeeds());
    fs_ = std::move(*created);
  }

  test::FaultyLayer& upper_layer() { return *faulty_; }

  // The kernel's part: one lookup per component, every reference kept.
  Result<Entry> entry(std::string_view path) {
    Entry at{kRootInode, {}};
    at.attr.st_mode = S_IFDIR;
    for (const auto part : split(path, '/')) at = TRY(fs_->lookup(at.inode, std::string(part).c_str()));
    return at;
  }
  Result<InodeId> inode(std::string_view path) { return TRY(entry(path)).inode; }
  struct Place {
    InodeId parent;
    std::string name;
  };
  Result<Place> place(std::string_view path) {
    const auto slash = path.rfind('/');
    if (slash == std::string_view::npos) return Place{kRootInode, std::string(path)};
    return Place{TRY(inode(path.substr(0, slash))), std::string(path.substr(slash + 1))};
  }

  Result<std::string> read(HandleId handle, std::uint64_t offset = 0) {
    std::string data(64 * 1024, '\0');
    data.resize(TRY(fs_->read(handle, data, offset)));
    return data;
  }
  Result<std::string> read(std::string_view path) {
    const auto handle = TRY(fs_->open(me_, TRY(inode(path)), O_RDONLY)).handle;
    auto data = read(handle);
    fs_->release(handle);
    return data;
  }
  Result<> write(std::string_view path, std::string_view data, int flags = 0, std::uint64_t offset = 0) {
    const auto handle = TRY(fs_->open(me_, TRY(inode(path)), O_WRONLY | flags)).handle;
    const auto count = fs_->write(me_, handle, data, offset);
    fs_->release(handle);
    return count ? Result<>{} : fail(count.error().code);
  }
  Result<> create(std::string_view path, std::string_view data = "", mode_t mode = 0644) {
    const auto at = TRY(place(path));
    const auto created = TRY(fs_->create(me_, at.parent, at.name.c_str(), mode));
    TRY(fs_->write(me_, created.opened.handle, data, 0));
    fs_->release(created.opened.handle);
    return {};
  }
  Result<Entry> mkdir(std::string_view path, mode_t mode = 0755) {
    const auto at = TRY(place(path));
    return fs_->mkdir(me_, at.parent, at.name.c_str(), mode);
  }
  Result<> unlink(std::string_view path) {
    TRY(inode(path));
    const auto at = TRY(place(path));
    return fs_->unlink(at.parent, at.name.c_str());
  }
  Result<> rmdir(std::string_view path) {
    TRY(inode(path));
    const auto at = TRY(place(path));
    return fs_->rmdir(at.parent, at.name.c_str());
  }
  Result<> rename(std::string_view from, std::string_view to, unsigned flags = 0) {
    TRY(inode(from));
    static_cast<void>(inode(to));
    const auto one = TRY(place(from)), other = TRY(place(to));
    return fs_->rename(one.parent, one.name.c_str(), other.parent, other.name.c_str(), flags);
  }
  Result<Entry> link(std::string_view from, std::string_view to) {
    const auto at = TRY(place(to));
    return fs_->link(TRY(inode(from)), at.parent, at.name.c_str());
  }
  Result<std::vector<std::string>> list(std::string_view path) {
    const auto dir = path.empty() ? kRootInode : TRY(inode(path));
    std::vector<std::string> names;
    const auto done = fs_->readdir(dir, 0, [&](const MergedEntry& entry) {
      if (entry.name != "." && entry.name != "..") names.push_back(entry.name);
      return true;
    });
    if (!done) return fail(done.error().code);
    std::ranges::sort(names);
    return names;
  }
  Result<struct stat> stat(std::string_view path) { return fs_->getattr(TRY(inode(path))); }
  Result<> chmod(std::string_view path, mode_t mode) {
    TRY(fs_->setattr(me_, TRY(inode(path)),
                     {.mode = mode, .uid = {}, .gid = {}, .size = {}, .atime = {}, .mtime = {}}));
    return {};
  }
  Result<> resize(std::string_view path, std::uint64_t size) {
    TRY(fs_->setattr(me_, TRY(inode(path)),
                     {.mode = {}, .uid = {}, .gid = {}, .size = size, .atime = {}, .mtime = {}}));
    return {};
  }

  test::TempDir temp_;
  const Caller me_{::geteuid(), ::getegid(), 022};
  std::unique_ptr<OverlayFs> fs_;
  test::FaultyLayer* faulty_ = nullptr;
  bool afar_ = false;  // redirect_dir and metacopy, for start()
  std::size_t data_only_ = 0;
  mode_t old_umask_ = 0;
};

}  // namespace nacre::fs
