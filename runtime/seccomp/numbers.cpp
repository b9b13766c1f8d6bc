// SPDX-License-Identifier: Apache-2.0
#include "runtime/seccomp/numbers.h"

#include <linux/audit.h>
#include <seccomp.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace nacre::runtime::seccomp {
namespace {

static_assert(kX32 == SCMP_ARCH_X32);

// The numbers of their own that i386 has had since Linux 4.3 (sockets) and 5.1 (IPC) for calls
// which libseccomp knows by their multiplexer only.
struct Direct {
  std::string_view name;
  std::uint32_t number;
};
constexpr std::array kDirect386{
    Direct{"socket", 359},      Direct{"socketpair", 360}, Direct{"bind", 361},
    Direct{"connect", 362},     Direct{"listen", 363},     Direct{"accept4", 364},
    Direct{"getsockopt", 365},  Direct{"setsockopt", 366}, Direct{"getsockname", 367},
    Direct{"getpeername", 368}, Direct{"sendto", 369},     Direct{"sendmsg", 370},
    Direct{"recvfrom", 371},    Direct{"recvmsg", 372},    Direct{"shutdown", 373},
    Direct{"recvmmsg", 337},    Direct{"sendmmsg", 345},   Direct{"semget", 393},
    Direct{"semctl", 394},      Direct{"shmget", 395},     Direct{"shmctl", 396},
    Direct{"shmat", 397},       Direct{"shmdt", 398},      Direct{"msgget", 399},
    Direct{"msgsnd", 400},      Direct{"msgrcv", 401},     Direct{"msgctl", 402},
};

int resolve(const char* name, Architecture architecture) {
  return seccomp_syscall_resolve_name_arch(architecture, name);
}

// libseccomp numbers multiplexed calls -100 - operation (socketcall) and -200 - operation (ipc).
std::vector<Entry> multiplexed(const std::string& name, int pseudo, Architecture architecture) {
  std::vector<Entry> entries;
  const int multiplexer = resolve(pseudo > -200 ? "socketcall" : "ipc", architecture);
  if (multiplexer < 0) return entries;
  entries.push_back({static_cast<std::uint32_t>(multiplexer), static_cast<std::uint32_t>(-pseudo % 100)});
  if (architecture != AUDIT_ARCH_I386) return entries;
  const auto direct = std::ranges::find(kDirect386, name, &Direct::name);
  if (direct != kDirect386.end()) entries.push_back({direct->number, {}});
  return entries;
}

}  // namespace

Result<Architecture> architecture_of(const std::string& name) {
  constexpr std::string_view kPrefix = "SCMP_ARCH_";
  if (!name.starts_with(kPrefix)) return bad_input("seccomp: unknown architecture \"" + name + "\"");
  auto lower = name.substr(kPrefix.size());
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto architecture = seccomp_arch_resolve_name(lower.c_str());
  if (architecture == 0) return bad_input("seccomp: unknown architecture \"" + name + "\"");
  if ((architecture & __AUDIT_ARCH_LE) != (native_architecture() & __AUDIT_ARCH_LE))
    return bad_input("seccomp: architecture " + name + " has the other byte order than this machine");
  return architecture;
}

Architecture native_architecture() { return seccomp_arch_native(); }

std::vector<Entry> entries_of(const std::string& name, Architecture architecture) {
  const int number = resolve(name.c_str(), architecture);
  if (number >= 0) return {{static_cast<std::uint32_t>(number), {}}};
  if (number <= -100 && number > -300) return multiplexed(name, number, architecture);
  return {};
}

bool is_known(const std::string& name) {
  return resolve(name.c_str(), native_architecture()) != __NR_SCMP_ERROR;
}

}  // namespace nacre::runtime::seccomp
