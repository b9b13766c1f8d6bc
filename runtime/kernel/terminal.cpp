// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/sys/checked.h"
#include "base/sys/file.h"
#include "runtime/kernel/linux_kernel.h"

namespace nacre::runtime::kernel {

Result<Kernel::Terminal> LinuxKernel::open_terminal(int root, unsigned height, unsigned width, uid_t uid) {
  auto master = sys::open_in_root(root, "/dev/pts/ptmx", O_RDWR | O_NOCTTY);
  if (!master && master.error().code == ENOENT)
    master = sys::open_at(AT_FDCWD, "/dev/ptmx", O_RDWR | O_NOCTTY);
  if (!master) return during("open /dev/pts/ptmx", Result<Terminal>{std::unexpected(master.error())});
  const int unlocked = 0;
  TRY(during("unlock", sys::succeed([&] { return ::ioctl(master->get(), TIOCSPTLCK, &unlocked); })));
  // By descriptor and not by the name /dev/pts/N, which the image could redirect.
  UniqueFd slave{TRY(during("open the slave", sys::checked([&] {
                              return ::ioctl(master->get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
                            })))};
  if (height != 0 && width != 0) {
    const winsize size{.ws_row = static_cast<unsigned short>(height),
                       .ws_col = static_cast<unsigned short>(width),
                       .ws_xpixel = 0,
                       .ws_ypixel = 0};
    TRY(sys::succeed([&] { return ::ioctl(slave.get(), TIOCSWINSZ, &size); }));
  }
  if (uid != 0)
    TRY(during("give the terminal to the user",
               sys::succeed([&] { return ::fchown(slave.get(), uid, static_cast<gid_t>(-1)); })));
  return Terminal{std::move(*master), std::move(slave)};
}

}  // namespace nacre::runtime::kernel
