// SPDX-License-Identifier: Apache-2.0
#include "runtime/plan/perform.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cstdint>

#include "base/control/protocol.h"

namespace nacre::runtime::plan {
namespace {

using kernel::Kernel;

class Performer {
 public:
  Performer(Kernel& kernel, Materials& materials) : kernel_(kernel), m_(materials) {}

  Result<> operator()(const EnterNamespace& s) {
    // Closed: joined already, before a user namespace took the right to.
    return m_.joins[s.index] ? kernel_.join_namespace(m_.joins[s.index].get()) : Result<>{};
  }
  Result<> operator()(const NewCgroupNamespace&) { return kernel_.new_cgroup_namespace(); }
  Result<> operator()(const NewTimeNamespace& s) {
    std::string text;
    for (const auto& [clock, offset] : s.offsets)
      text += clock + " " + std::to_string(offset.seconds) + " " + std::to_string(offset.nanoseconds) + "\n";
    return kernel_.new_time_namespace(text);
  }
  Result<> operator()(const LoopbackUp&) { return kernel_.loopback_up(); }
  Result<> operator()(const SetHostname& s) { return kernel_.set_hostname(s.name); }
  Result<> operator()(const SetDomainname& s) { return kernel_.set_domainname(s.name); }
  Result<> operator()(const WriteSysctl& s) { return kernel_.write_sysctl(s.path, s.value); }
  Result<> operator()(const SetTreePropagation& s) { return kernel_.set_tree_propagation(s.propagation); }
  Result<> operator()(const AttachRoot& s) { return kernel_.attach_on_host(m_.root, s.at); }
  Result<> operator()(const MountFilesystem& s);
  Result<> operator()(const BindMount& s);
  Result<> operator()(const SetReadonly& s) {
    const auto target = TRY(kernel_.place(m_.root, s.target, Kernel::Kind::directory));
    return kernel_.set_attributes(target.get(), MOUNT_ATTR_RDONLY, 0, 0, false);
  }
  Result<> operator()(const MakeDirectory& s) {
    TRY(kernel_.place(m_.root, s.target, Kernel::Kind::directory));
    return {};
  }
  Result<> operator()(const MakeSymlink& s) { return kernel_.make_symlink(m_.root, s.target, s.content); }
  Result<> operator()(const MakeDevice& s);
  Result<> operator()(const OpenTerminal& s);
  Result<> operator()(const MaskPath& s);
  Result<> operator()(const ReadonlyPath& s);
  Result<> operator()(const CloneUncovered& s);
  Result<> operator()(const AttachView&);
  Result<> operator()(const ReadonlyRoot&) {
    return kernel_.set_attributes(m_.root, MOUNT_ATTR_RDONLY, 0, 0, false);
  }
  Result<> operator()(const RunCreateHooks&) { return m_.create_hooks ? m_.create_hooks() : Result<>{}; }
  Result<> operator()(const EnterRoot& s) { return kernel_.enter_root(m_.root, s.pivot); }
  Result<> operator()(const SetRootPropagation& s) {
    return kernel_.set_root_propagation(s.propagation, s.below);
  }

 private:
  Result<> bind_device(const std::string& target, mode_t mode, dev_t device);

  Kernel& kernel_;
  Materials& m_;
  UniqueFd empty_;  // an empty read-only tmpfs, once one directory has been masked
};

Result<> Performer::operator()(const MountFilesystem& s) {
  const auto target = TRY(s.real_directory ? kernel_.real_directory(m_.root, s.target)
                                           : kernel_.place(m_.root, s.target, Kernel::Kind::directory));
  const auto made = kernel_.new_filesystem(s.type, s.parameters, s.attributes);
  const bool bind = !made && made.error().code == EPERM && s.fallback != SIZE_MAX;
  if (!made && !bind) return std::unexpected(made.error());
  const int mount = bind ? m_.sources[s.fallback].get() : made->get();
  if (bind) TRY(kernel_.set_attributes(mount, s.attributes, 0, MS_SLAVE, true));
  if (s.propagation != 0) TRY(kernel_.set_attributes(mount, 0, 0, s.propagation, false));
  if (s.copy_up) TRY(during("copy up", kernel_.copy_tree(target.get(), mount)));
  return kernel_.attach(mount, target.get());
}

Result<> Performer::operator()(const BindMount& s) {
  const int source = m_.sources[s.source].get();
  const auto kind = TRY(kernel_.kind_of(source));
  const auto target = TRY(kernel_.place(m_.root, s.target, kind));
  if (TRY(kernel_.kind_of(target.get())) != kind)
    return bad_input(kind == Kernel::Kind::directory ? "the source is a directory and the target is not"
                                                     : "the target is a directory and the source is not");
  // A symlink in the image may lead a harmless target into /proc.
  if (!s.inside_proc && TRY(kernel_.on_proc(target.get()))) {
    if (s.target != "/proc")
      return bad_input("the target is inside the container's /proc, where bind mounts are not allowed");
    if (!TRY(kernel_.on_proc(source))) return bad_input("only a proc may be mounted on /proc");
  }
  // The clone is a peer of the host's mount: a slave gets the host's mounts and gives none.
  const auto propagation = s.propagation != 0 ? s.propagation : static_cast<std::uint64_t>(MS_SLAVE);
  TRY(kernel_.set_attributes(source, 0, 0, propagation, s.propagation == 0 || s.propagation_below));
  if ((s.set | s.clear) != 0) TRY(kernel_.set_attributes(source, s.set, s.clear, 0, false));
  if ((s.set_below | s.clear_below) != 0)
    TRY(kernel_.set_attributes(source, s.set_below, s.clear_below, 0, true));
  return kernel_.attach(source, target.get());
}

Result<> Performer::bind_device(const std::string& target, mode_t mode, dev_t device) {
  const auto node = TRY(kernel_.host_device(target, mode, device));
  const auto mount = TRY(kernel_.clone(node.get(), false));
  const auto place = TRY(kernel_.place(m_.root, target, Kernel::Kind::file));
  return kernel_.attach(mount.get(), place.get());
}

Result<> Performer::operator()(const MakeDevice& s) {
  if (s.bind) return bind_device(s.target, s.mode, s.device);
  auto made = kernel_.make_device(m_.root, s.target, s.mode, s.device, s.uid, s.gid);
  // Inside another container mknod(2) may be out of reach.
  if (!made && made.error().code == EPERM && !S_ISFIFO(s.mode))
    return bind_device(s.target, s.mode, s.device);
  return made;
}

Result<> Performer::operator()(const OpenTerminal& s) {
  auto terminal = TRY(kernel_.open_terminal(m_.root, s.height, s.width, s.uid));
  const auto mount = TRY(kernel_.clone(terminal.slave.get(), false));
  const auto console = TRY(kernel_.place(m_.root, "/dev/console", Kernel::Kind::file));
  TRY(during("bind it on /dev/console", kernel_.attach(mount.get(), console.get())));
  m_.terminal = std::move(terminal.slave);
  return m_.give_terminal ? m_.give_terminal(std::move(terminal.master)) : Result<>{};
}

Result<> Performer::operator()(const MaskPath& s) {
  const auto target = TRY(kernel_.find(m_.root, s.target));
  if (!target) return {};
  if (TRY(kernel_.kind_of(target->get())) == Kernel::Kind::file) {
    const auto null = TRY(kernel_.host_device("/dev/null", S_IFCHR, ::makedev(1, 3)));
    const auto mount = TRY(kernel_.clone(null.get(), false));
    return kernel_.attach(mount.get(), target->get());
  }
  // One superblock hides every directory. Only an attached mount can be cloned before Linux 6.15.
  if (empty_) {
    const auto mount = TRY(kernel_.clone(empty_.get(), false));
    return kernel_.attach(mount.get(), target->get());
  }
  auto mount = TRY(
      kernel_.new_filesystem("tmpfs", {{"mode", "755"}, {"nr_inodes", "1"}, {"nr_blocks", "1"}},
                             MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC));
  TRY(kernel_.attach(mount.get(), target->get()));
  empty_ = std::move(mount);
  return {};
}

Result<> Performer::operator()(const ReadonlyPath& s) {
  const auto target = TRY(kernel_.find(m_.root, s.target));
  if (!target) return {};
  const auto mount = TRY(kernel_.clone(target->get(), true));
  TRY(kernel_.set_attributes(mount.get(), MOUNT_ATTR_RDONLY, 0, 0, true));
  return kernel_.attach(mount.get(), target->get());
}

Result<> Performer::operator()(const CloneUncovered& s) {
  const auto from = TRY(kernel_.find(m_.root, s.from));
  if (!from || !TRY(kernel_.on_kernel_filesystem(from->get()))) return {};
  auto mount = kernel_.clone(from->get(), false);
  // Covered by the host, as a /sys that is bound from there; so nobody in it can mount one either way.
  if (!mount && mount.error().code == EINVAL) return {};
  const auto target = TRY(kernel_.place(m_.root, s.target, Kernel::Kind::directory));
  return kernel_.attach(TRY(std::move(mount)).get(), target.get());
}

Result<> Performer::operator()(const AttachView&) {
  for (const auto& [path, mount] : m_.view) {
    // Missing where the container has no /proc or /sys, or something of its own in their place.
    const auto target = TRY(kernel_.find(m_.root, path));
    if (!target || !TRY(kernel_.on_kernel_filesystem(target->get()))) continue;
    if (control::only_where_read_only(path) && !TRY(kernel_.is_read_only(target->get()))) continue;
    TRY(during(path, kernel_.attach(mount.get(), target->get())));
  }
  return {};
}

}  // namespace

Result<> perform(Kernel& kernel, const Plan& plan, Materials& materials) {
  Performer performer{kernel, materials};
  for (const Step& step : plan.steps) {
    auto done = std::visit(performer, step);
    if (!done) return during(describe(step), std::move(done));
  }
  return {};
}

}  // namespace nacre::runtime::plan
