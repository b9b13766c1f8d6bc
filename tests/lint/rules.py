# SPDX-License-Identifier: Apache-2.0
"""The rules of the tree that a program can check, as data. CONTRIBUTING.md has the reasons."""

SOURCE = (".cpp", ".h")

# Who may include whom: the first folder of an #include "…" must be listed for the folder
# that the including file is in. The longest prefix that matches decides.
MAY_INCLUDE = {
    "base": {"base"},
    "fs": {"base", "fs"},
    "procfs": {"base", "procfs"},
    "runtime": {"base", "runtime"},
    "tools/bench": {"base", "tools"},
    "tools/nacre": {"base", "runtime", "tools"},
    "tests/fuzz": {"base", "fs", "procfs", "runtime", "tools", "tests"},
    "tests": {"base", "fs", "procfs", "runtime", "tools", "tests"},
}

# A system header, and the only places (globs) that may include it.
ONLY_IN = {
    r"fuse(3/)?(_\w+|3)?\.h|fuse3/.*|fuse_lowlevel\.h": ["base/fuse/*", "fs/fuse/*", "procfs/fuse/*", "tests/wire/*"],
    r"spdlog/.*": ["base/log.cpp"],
    # Slow to compile: never in a header that others include (json_fwd.hpp is for those).
    r"nlohmann/(?!json_fwd).*": ["*.cpp", "runtime/spec/json_reader.h"],
    r"CLI/.*": ["tools/nacre/*", "*/main.cpp", "*/options.cpp", "runtime/cli/*"],
    r"seccomp\.h": ["runtime/*", "base/sys/call_filter.cpp", "*/confinement.cpp", "tests/*"],
}

# A call that changes the machine has one address: these files wrap it, others call the
# wrapper. (Tests do what they like.)
MOUNTS = ["base/sys/*", "runtime/kernel/*", "procfs/daemon/mount_space.cpp"]
FORKS = ["base/sys/*", "runtime/kernel/*", "runtime/process/*", "procfs/main.cpp", "fs/main.cpp", "tools/*"]
CALLS_ONLY_IN = {
    r"(?<![\w>])::(mount|umount2?)\(": MOUNTS,
    r"(?<![\w>])::(fsopen|fsmount|fsconfig|move_mount|open_tree|mount_setattr)\(": MOUNTS,
    r"\bSYS_(fsopen|fsmount|fsconfig|move_mount|open_tree|mount_setattr|openat2)\b": MOUNTS,
    r"\bSYS_pivot_root\b": MOUNTS,
    r"\bSYS_(clone3|setns)\b": FORKS,
    r"(?<![\w>])::(fork|vfork|clone)\(": FORKS,
    # Static programs have no name service and load nothing.
    r"(?<![\w.>])::(getpw|getgrnam|getgrgid|getaddrinfo|gethostby|initgroups|dlopen|iconv_open)\w*\(": [],
    r"(?<![\w.>])(std::|::)?(system|popen|strtok|sscanf|gets|strcpy|strcat|sprintf)\(": [],
}

# Text that no source file holds.
FORBIDDEN = {
    r'#include "\.\./': "include from the top of the tree, not by ../",
    r"\b(TODO|FIXME|XXX|HACK)\b": "finish it, or write an issue",
    r"^<{7} |^>{7} ": "a merge that was not finished",
}

# Lines. A file that outgrows its limit holds two things.
LENGTH = {"tests": 500, "": 400}

# Files that need no SPDX line: no comments in the format, or texts of others.
NO_SPDX = ["LICENSE", "*.md", "*.json", ".clang-format", ".clang-tidy", ".editorconfig", ".gitignore", "*/corpus/*",
           "tests/golden/*", "*.txt.in"]
SPDX_LINE = "SPDX-License-Identifier: Apache-2.0"
