#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A rule that never fires is worth nothing: each is shown a line that breaks it and one that does not."""

import sys
import unittest

sys.dont_write_bytecode = True
import lint  # noqa: E402
import man_test  # noqa: E402

sys.path.insert(0, lint.ROOT + "/tests")
import summary  # noqa: E402

SPDX = "// SPDX-License-Identifier: Apache-2.0"


def source(name, *lines):
    return [what for _, what in lint.check_source(name, lines)]


def text(name, *lines):
    return [what for _, what in lint.check_text(name, lines)]


class IncludeRules(unittest.TestCase):
    def test_cores_do_not_know_each_other(self):
        for name, header in (("fs/a.cpp", "runtime/b.h"), ("procfs/a.cpp", "fs/b.h"), ("base/a.h", "fs/b.h"),
                             ("runtime/a.cpp", "procfs/b.h")):
            self.assertTrue(source(name, f'#include "{header}"'), name)
        for name, header in (("fs/a.cpp", "base/b.h"), ("tools/nacre/a.cpp", "runtime/b.h"), ("tests/unit/a.cpp", "fs/b.h")):
            self.assertFalse(source(name, f'#include "{header}"'), name)

    def test_libraries_stay_in_their_folders(self):
        self.assertTrue(source("fs/ops/open.cpp", "#include <fuse3/fuse_lowlevel.h>"))
        self.assertTrue(source("fs/ops/open.cpp", "#include <fuse_lowlevel.h>"))
        self.assertFalse(source("fs/fuse/open.cpp", "#include <fuse_lowlevel.h>"))
        self.assertFalse(source("fs/ops/open.cpp", "#include <linux/fuse.h>"))
        self.assertTrue(source("base/parse.cpp", "#include <spdlog/spdlog.h>"))
        self.assertFalse(source("base/log.cpp", "#include <spdlog/spdlog.h>"))
        self.assertTrue(source("runtime/spec/spec.h", "#include <nlohmann/json.hpp>"))

    def test_paths_begin_at_the_top(self):
        self.assertTrue(text("fs/a.cpp", SPDX, '#include "../b.h"'))
        self.assertTrue(source("fs/a.cpp", '#include "b.h"'))


class CallRules(unittest.TestCase):
    def test_dangerous_calls_have_one_address(self):
        self.assertTrue(source("fs/a.cpp", "if (::mount(a, b, c, 0, nullptr) != 0)"))
        self.assertTrue(source("tools/nacre/a.cpp", "::syscall(SYS_move_mount, 1)"))
        self.assertTrue(source("procfs/a.cpp", "sscanf(text, format)"))
        self.assertTrue(source("procfs/a.cpp", "std::system(command)"))
        self.assertTrue(source("procfs/a.cpp", "::getpwnam(name)"))
        self.assertFalse(source("base/sys/mount.cpp", "::mount(a, b, c, 0, nullptr)"))
        self.assertFalse(source("fs/a.cpp", "Result<> Session::mount(const char* path) {", "session.mount(path);",
                                "// ::mount(2) is not for us", 'fail("::mount(x)")'))


class TextRules(unittest.TestCase):
    def test_marks_of_unfinished_work(self):
        self.assertTrue(text("fs/a.cpp", SPDX, "// TO" + "DO later"))
        self.assertFalse(text("fs/a.cpp", SPDX, "// todos are written here as issues"))

    def test_licence_and_length(self):
        self.assertTrue(text("fs/a.cpp", "int x;"))
        self.assertFalse(text("README.md", "# nacre"))
        self.assertTrue(source("fs/a.cpp", *["//"] * 401))
        self.assertFalse(source("tests/unit/a.cpp", *["//"] * 500))


class ManPages(unittest.TestCase):
    def test_commands_of_help(self):
        help_text = "usage: nacre\n\nCommands:\n  run       run it\n              more about it\n  ps        list\n\nOptions:\n  other"
        self.assertEqual(man_test.commands(help_text), ["run", "ps"])

    def test_long_options(self):
        self.assertEqual(man_test.LONG.findall("-m,--memory SIZE, [--pids-limit N] a--b ---x"), ["memory", "pids-limit"])


class Summary(unittest.TestCase):
    def test_reasons(self):
        self.assertEqual(summary.skip_reason("a\nSKIP: no /dev/fuse\n", "x"), "no /dev/fuse")
        self.assertEqual(summary.skip_reason("f.cpp:3: Skipped\nneeds\nroot\n\n[  SKIPPED ] A.B (0 ms)", "x"), "needs root")
        self.assertEqual(summary.skip_reason("", "SKIP_RETURN_CODE=77"), "SKIP_RETURN_CODE=77")


if __name__ == "__main__":
    unittest.main()
