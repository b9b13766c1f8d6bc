#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""man_test.py BIN: every long option that a program's --help shows is in its man page, and the
other way round; so is every command of nacre and nacre-runtime. Exit status 77: no program is
built, or no page is written yet."""

import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAMS = ("nacre", "nacre-fs", "nacre-procfs", "nacre-runtime")
LONG = re.compile(r"(?<![\w-])--([a-z][a-z0-9-]*)")


def help_text(program, *command):
    done = subprocess.run([program, *command, "--help"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=60, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join([os.path.basename(program), *command])} --help exits {done.returncode}")
    return done.stdout.decode()


def commands(text):
    """The names of the indented lines that follow a heading such as "Commands:" or "SUBCOMMANDS:"."""
    names, inside = [], False
    for line in text.splitlines():
        if re.match(r"^(sub)?commands:?\s*$", line.strip(), re.IGNORECASE):
            inside = True
        elif inside and line and not line[0].isspace():
            inside = False
        elif inside:
            # A command's own line has the smallest indentation; the rest continues a description.
            found = re.match(r"^ {1,4}([a-z][a-z-]*)(\s|,|$)", line)
            if found:
                names.append(found.group(1))
    return names


def page_text(page):
    """A man page's text: roff comments and escapes gone, "\\-" is "-"."""
    with open(page, encoding="utf-8") as file:
        lines = [line for line in file if not line.startswith('.\\"')]
    text = "".join(lines).replace("\\-", "-").replace("\\(hy", "-")
    return re.sub(r"\\f(\[[^]]*\]|\(..|.)|\\&", "", text)


def check(program, page):
    text = help_text(program)
    options = set(LONG.findall(text))
    names = [n for n in commands(text) if n != "help"]
    for name in names:
        options |= set(LONG.findall(help_text(program, name)))
    written = page_text(page)
    described = set(LONG.findall(written))
    label = os.path.basename(program)
    breaches = [f"{label}: --{o} is in --help and not in {os.path.basename(page)}" for o in sorted(options - described)]
    breaches += [f"{label}: --{o} is in {os.path.basename(page)} and not in --help" for o in sorted(described - options)]
    breaches += [f"{label}: command {n} is not in {os.path.basename(page)}" for n in names
                 if not re.search(rf"(?<![\w-]){re.escape(n)}(?![\w-])", written)]
    print(f"{label}: {len(options)} long options, {len(names)} commands")
    return breaches


def main(folder):
    breaches, checked = [], 0
    for name in PROGRAMS:
        program, page = os.path.join(folder, name), os.path.join(ROOT, "docs/man", name + ".1")
        if not os.path.exists(program):
            print(f"{name}: not built, not checked")
        elif not os.path.exists(page):
            breaches.append(f"{name}: no man page (docs/man/{name}.1)")
        else:
            checked += 1
            try:
                breaches += check(program, page)
            except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
                breaches.append(str(error))
    for breach in breaches:
        print(breach)
    if breaches:
        return 1
    if not checked:
        print(f"SKIP: none of {', '.join(PROGRAMS)} is built in {folder}")
        return 77
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
