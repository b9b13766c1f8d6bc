#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""summary.py RESULTS.xml...: what ctest's JUnit files say, in a few lines.

Prints every skipped test with its reason, which integration tests had another outcome in the
virtual machine than here, and last a line "N passed, N failed, N skipped". The
exit status is 0 only when at least one test passed and none failed.
"""

import re
import sys
import xml.etree.ElementTree as ElementTree
from collections import namedtuple

Test = namedtuple("Test", "name outcome reason")


def skip_reason(output, message):
    """The last "SKIP: reason" of a script, or the text given to GTEST_SKIP()."""
    stated = re.findall(r"^SKIP:\s*(.+)$", output, re.MULTILINE)
    if stated:
        return stated[-1].strip()
    gtest = re.search(r": Skipped\n(.*?)\n*\[  SKIPPED \]", output, re.DOTALL)
    if gtest and gtest.group(1).strip():
        return " ".join(gtest.group(1).split())
    return message or "no reason given"


def load(path):
    """The tests of one file; a file that is missing or broken counts as a failed test."""
    try:
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError):
        return [Test(path, "failed", "no results: the build or the test runner failed before")]
    tests = []
    for case in root.iter("testcase"):
        skipped = case.find("skipped")
        output = case.findtext("system-out") or ""
        if case.find("failure") is not None or case.get("status") == "fail":
            tests.append(Test(case.get("name"), "failed", ""))
        elif skipped is not None or case.get("status") in ("notrun", "disabled"):
            message = skipped.get("message") if skipped is not None else ""
            tests.append(Test(case.get("name"), "skipped", skip_reason(output, message)))
        else:
            tests.append(Test(case.get("name"), "passed", ""))
    return tests


def print_vm_difference(tests):
    """Tests whose outcome is not the same on this machine and in the virtual machine."""
    here = {t.name.split("/", 1)[1]: t for t in tests if t.name.startswith("integration/")}
    there = {t.name.split("/", 1)[1]: t for t in tests if t.name.startswith("vm/") and t.name != "vm/boot"}
    if not here or not there:
        return
    different = [f"  {name}: here {here[name].outcome}, in the virtual machine {there[name].outcome}"
                 for name in sorted(here.keys() & there.keys()) if here[name].outcome != there[name].outcome]
    ran = [sum(t.outcome in ("passed", "failed") for t in side.values()) for side in (here, there)]
    print(f"integration tests run: {ran[0]} here, {ran[1]} in the virtual machine (cgroup v2 only); "
          + ("not the same outcome:" if different else "same outcomes"))
    print("\n".join(different), end="\n" if different else "")


def main(paths):
    total = {"passed": 0, "failed": 0, "skipped": 0}
    for path in paths:
        tests = load(path)
        for test in tests:
            total[test.outcome] += 1
        title = f" ({path})" if len(paths) > 1 else ""
        skipped = [t for t in tests if t.outcome == "skipped"]
        print(f"skipped{title}: {len(skipped)}")
        for test in skipped:
            print(f"  {test.name}: {test.reason}")
        for test in tests:
            if test.outcome == "failed":
                print(f"FAILED{title}: {test.name}{': ' if test.reason else ''}{test.reason}")
        print_vm_difference(tests)
    print(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    return 0 if total["passed"] > 0 and total["failed"] == 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
