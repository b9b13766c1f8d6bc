#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""deep.py BUILD: the slow half of `tools/check --lint`: clang-format, shellcheck, headers that
compile alone, clang-tidy. What passed is remembered in BUILD/lint until it changes. A tool that
is not installed is named and passed over."""

import concurrent.futures
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import time

sys.dont_write_bytecode = True
import lint  # noqa: E402

ROOT = lint.ROOT
FORMAT_VERSION = "14."
TIDY = "clang-tidy-19"
TIDY_SECONDS = 15 * 60


class Memory:
    """What has already passed: one empty file per hash of everything the answer depends on."""

    def __init__(self, folder, common):
        self.folder = folder
        self.common = common
        os.makedirs(folder, exist_ok=True)

    def _mark(self, kind, name):
        digest = hashlib.sha256("\0".join((kind, name, lint.read(name), self.common)).encode()).hexdigest()
        return os.path.join(self.folder, digest)

    def has(self, kind, name):
        return os.path.exists(self._mark(kind, name))

    def add(self, kind, name):
        with open(self._mark(kind, name), "w", encoding="utf-8"):
            pass


def run(command, **options):
    return subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, **options)


def check_format(sources):
    version = run(["clang-format", "--version"]).stdout.decode() if shutil.which("clang-format") else "not installed"
    if f"version {FORMAT_VERSION}" not in version:
        print(f"clang-format: passed over, the tree is formatted with version {FORMAT_VERSION}x, here: {version.strip()}")
        return True
    badly = [s for s in sources if run(["clang-format", "--dry-run", "-Werror", s]).returncode != 0]
    for name in badly:
        print(f"{name}: run clang-format -i {name}")
    print(f"clang-format: {len(sources)} files, {len(badly)} to be formatted")
    return not badly


def check_shell(files):
    scripts = [f for f in files if f.endswith(".sh") or lint.read(f).startswith(("#!/bin/sh", "#!/bin/bash"))]
    if not shutil.which("shellcheck"):
        print("shellcheck: not installed, passed over")
        return True
    programs = [f for f in scripts if lint.read(f).startswith("#!")]
    # tests/integration/run gives the others to `sh -eu`: a failing cd ends them.
    tests = [f for f in scripts if f not in programs]
    common = ["shellcheck", "--severity=warning", "--exclude=SC1090,SC1091"]
    clean = True
    for command in ([*common, *programs], [*common, "--shell=dash", "--exclude=SC2164", *tests]):
        done = run(command)
        sys.stdout.write(done.stdout.decode())
        clean = clean and done.returncode == 0
    print(f"shellcheck: {len(scripts)} scripts, {'clean' if clean else 'see above'}")
    return clean


def in_parallel(kind, names, memory, check, seconds=None):
    """Runs check(name) -> text of complaints for each name that has not passed yet."""
    left = [n for n in names if not memory.has(kind, n)]
    started, clean, late = time.monotonic(), True, 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        def one(name):
            if seconds and time.monotonic() - started > seconds:
                return name, None
            return name, check(name)
        for name, complaints in pool.map(one, left):
            if complaints is None:
                late += 1
            elif complaints:
                clean = False
                print(f"-- {name}\n{complaints}")
            else:
                memory.add(kind, name)
    print(f"{kind}: {len(names)} files, {len(left)} looked at now"
          + (f", {late} left for the next run (time bound {seconds} s)" if late else ""))
    return clean


def flags_of(command):
    """The -I, -D and -isystem flags and language standard of one compile command."""
    words, kept, take = shlex.split(command), [], False
    for word in words:
        if take:
            kept.append(word)
            take = False
        elif word == "-isystem":
            kept.append(word)
            take = True
        elif word.startswith(("-I", "-D", "-std=")):
            kept.append(word)
    return kept


def main(build):
    files = [f for f in lint.tree_files() if "\0" not in lint.read(f)]
    sources = [f for f in files if f.endswith((".cpp", ".h"))]
    headers = [f for f in sources if f.endswith(".h")]
    everything = "".join(lint.read(f) for f in headers) + lint.read(".clang-tidy")
    memory = Memory(os.path.join(build, "lint"), everything)

    clean = check_format(sources)
    clean &= check_shell(files)

    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        commands = {os.path.relpath(c["file"], ROOT): c["command"] for c in json.load(file)}
    union = sorted({tuple(flags_of(c)) for c in commands.values()}, key=len)
    flags = list(dict.fromkeys(f for group in union for f in group if f != "-isystem" and f.startswith("-")))
    flags += [f"-isystem{f}" for group in union for f in group if f.startswith("/")]

    def header_alone(name):
        done = run(["g++", "-fsyntax-only", "-Wno-pragma-once-outside-header", *dict.fromkeys(flags), "-x", "c++", name])
        return done.stdout.decode() if done.returncode else ""

    def tidy(name):
        done = run([TIDY, "--quiet", "-p", build, "--warnings-as-errors=*", name])
        return done.stdout.decode() if done.returncode else ""

    clean &= in_parallel("headers alone", headers, memory, header_alone)
    if shutil.which(TIDY):
        # The programs' own files first: the time bound may cut the rest.
        compiled = sorted((f for f in sources if f in commands), key=lambda f: (f.startswith("tests/"), f))
        clean &= in_parallel("clang-tidy", compiled, memory, tidy, TIDY_SECONDS)
    else:
        print(f"{TIDY}: not installed, passed over")
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
