#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""report.py OUT [NAME]: what the guest wrote to OUT/results. Without a name a line per test;
with one that test's output, and its exit status as ours (77: skipped there)."""

import os
import re
import sys


def load(path):
    """{name: (exit status, seconds, output)}; a test that began and never ended has no status."""
    results, name, output = {}, None, []
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file.read().replace("\r", "").splitlines():
            began = re.match(r"^@@ begin (\S+)$", line)
            ended = re.match(r"^@@ end (\S+) (\d+) (\d+)$", line)
            if began:
                name, output = began.group(1), []
                results[name] = (None, 0, output)
            elif ended:
                results[ended.group(1)] = (int(ended.group(2)), int(ended.group(3)), output)
                name = None
            elif name is not None:
                output.append(line)
    return results


def main(out, name=None):
    path = os.path.join(out, "results")
    skipped = os.path.join(out, "skipped")
    if os.path.exists(skipped):
        with open(skipped, encoding="utf-8") as file:
            print(file.read().strip())
        return 77
    if not os.path.exists(path):
        print("the virtual machine wrote no results")
        return 1
    results = load(path)
    if name is None:
        with open(path, encoding="utf-8", errors="replace") as file:
            print(next((line.strip("@ \n\r") for line in file if line.startswith("@@ kernel")), ""))
        words = {0: "passed", 77: "skipped", 124: "timed out", None: "never ended"}
        for test, (status, seconds, _) in results.items():
            print(f"{words.get(status, 'failed')}: {test} ({seconds} s)")
        return 0
    if name not in results:
        print("this test did not run in the virtual machine")
        return 1
    status, _, output = results[name]
    print("\n".join(output))
    if status is None:
        print("the test began and never ended")
        return 1
    if status == 124:
        print("the test ran out of time")
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
