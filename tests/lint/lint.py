#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""lint.py [--all-rules]: checks the tree against rules.py. Prints "file:line: what" for each
breach; the exit status is 0 when there is none."""

import fnmatch
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
import rules  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')


def tree_files():
    """Every file that git tracks or would track; without git, everything outside build folders."""
    try:
        listed = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                                capture_output=True, check=True).stdout.decode().split("\0")
        return sorted({name for name in listed if name and os.path.isfile(os.path.join(ROOT, name))})
    except (OSError, subprocess.CalledProcessError):
        found = []
        for folder, names, files in os.walk(ROOT):
            names[:] = [n for n in names if n not in ("build", ".deps", ".git")]
            found += [os.path.relpath(os.path.join(folder, f), ROOT) for f in files]
        return sorted(found)


def read(name):
    with open(os.path.join(ROOT, name), encoding="utf-8", errors="replace") as file:
        return file.read()


def matches(name, globs):
    return any(fnmatch.fnmatch(name, g) for g in globs)


def without_comments(line):
    """The code of one line: no string contents, no // comment. Enough for calls and includes."""
    line = re.sub(r'"(\\.|[^"\\])*"', '""', line)
    return re.sub(r"//.*", "", line)


def may_include(name):
    folders = [f for f in rules.MAY_INCLUDE if name.startswith(f + "/")]
    return rules.MAY_INCLUDE[max(folders, key=len)] if folders else None


def check_include(name, number, line):
    found = INCLUDE.match(line)
    if not found:
        return
    quote, header = found.groups()
    allowed = may_include(name)
    if quote == '"' and allowed is not None:
        folder = header.split("/", 1)[0]
        if "/" not in header:
            yield number, f'#include "{header}": write the path from the top of the tree'
        elif folder not in allowed:
            yield number, f"{name.split('/', 1)[0]} may not include {folder} (allowed: {', '.join(sorted(allowed))})"
    for pattern, places in rules.ONLY_IN.items():
        if re.fullmatch(pattern, header) and not matches(name, places):
            yield number, f"{header} may be included only in {', '.join(places)}"


def check_source(name, lines):
    for number, line in enumerate(lines, 1):
        yield from check_include(name, number, line)
        if name.startswith("tests/"):
            continue
        code = without_comments(line)
        for pattern, places in rules.CALLS_ONLY_IN.items():
            call = re.search(pattern, code)
            if call and not matches(name, places):
                where = f"only in {', '.join(places)}" if places else "nowhere"
                yield number, f"{call.group(0).rstrip('(')} belongs {where}"
    limit = next(limit for prefix, limit in rules.LENGTH.items() if name.startswith(prefix))
    if len(lines) > limit:
        yield limit, f"{len(lines)} lines, more than {limit}: split it by what it does"


def check_text(name, lines):
    # The rules themselves spell out what they forbid.
    if not name.startswith("tests/lint/"):
        for number, line in enumerate(lines, 1):
            for pattern, advice in rules.FORBIDDEN.items():
                found = re.search(pattern, line)
                if found:
                    yield number, f"{found.group(0).strip()}: {advice}"
    if not matches(name, rules.NO_SPDX) and not any(rules.SPDX_LINE in line for line in lines[:3]):
        yield 1, f"no \"{rules.SPDX_LINE}\" in the first three lines"


def check_documents(files):
    """docs/ARCHITECTURE.md, docs/LOCKING.md and README.md name only files that exist."""
    known = set(files) | {os.path.dirname(f) for f in files}
    while any(os.path.dirname(k) not in known for k in known if os.path.dirname(k)):
        known |= {os.path.dirname(k) for k in known if os.path.dirname(k)}
    tops = {f.split("/", 1)[0] for f in files if "/" in f} - {"build"}
    stems = {os.path.splitext(f)[0] for f in files}
    for document in ("docs/ARCHITECTURE.md", "docs/LOCKING.md", "docs/GLOSSARY.md", "CONTRIBUTING.md", "README.md"):
        if document not in known:
            continue
        for number, line in enumerate(read(document).splitlines(), 1):
            for quoted in re.findall(r"`([\w./*-]+/[\w./*{},-]*)`", line):
                path = quoted.rstrip("/")
                if path.split("/", 1)[0] not in tops or "*" in path or "{" in path:
                    continue
                if path not in known and path not in stems:
                    yield document, number, f"{quoted} does not exist"


def main():
    files = tree_files()
    breaches = []
    for name in files:
        if os.path.islink(os.path.join(ROOT, name)):
            continue
        text = read(name)
        if "\0" in text:
            continue
        lines = text.splitlines()
        breaches += [(name, *b) for b in check_text(name, lines)]
        if name.endswith(rules.SOURCE):
            breaches += [(name, *b) for b in check_source(name, lines)]
    breaches += check_documents(files)
    for name, number, what in breaches:
        print(f"{name}:{number}: {what}")
    print(f"{len(files)} files, {len(breaches)} breaches")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
