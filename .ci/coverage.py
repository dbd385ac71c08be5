#!/usr/bin/env python3
"""Shows that the tests named in docs/COVERAGE.md notice when what they stand for is broken.

For each row: runs the row's test on a copy of the tree (it must pass), changes one line of the copy as the row says, runs the
test again (it must fail), and changes the line back. Prints a line per row; exit code 1 if a test did not notice.

  .ci/coverage.py            every row
  .ci/coverage.py M4 M12     these rows
  .ci/coverage.py --list     what would be done; runs nothing
"""

import glob
import os
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DOCUMENT = os.path.join(ROOT, "docs", "COVERAGE.md")
COPY = os.path.join(ROOT, "target", "coverage")
# ```change M4 device WakeLogicTest#aTest
# path/of/the/File.java
# - the line as it is
# + the line as it would be wrong
# ```
BLOCK = re.compile(r"^```change (M\d+) (\S+) (\S+)\n(\S+)\n- (.*)\n\+ (.*)\n```$", re.MULTILINE)


def rows():
    with open(DOCUMENT, encoding="utf-8") as file:
        return [dict(zip(("row", "module", "test", "path", "old", "new"), match)) for match in BLOCK.findall(file.read())]


def line_of(change, root=ROOT):
    """The text of the file and where the line to change stands: there must be exactly one."""
    with open(os.path.join(root, change["path"]), encoding="utf-8") as file:
        lines = file.read().split("\n")
    found = [i for i, line in enumerate(lines) if line.strip() == change["old"].strip()]
    if len(found) != 1:
        raise SystemExit(f"{change['row']}: {change['path']}: {change['old']}: there {len(found)} times (expected once)")
    return lines, found[0]


def copy_tree():
    listed = subprocess.run(["git", "-c", "core.quotePath=false", "ls-files", "--cached", "--others", "--exclude-standard"],
                            cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    wanted = {path for path in listed if os.path.isfile(os.path.join(ROOT, path))}
    for path in sorted(wanted):
        source, target = os.path.join(ROOT, path), os.path.join(COPY, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(source, "rb") as file:
            content = file.read()
        if not os.path.exists(target) or open(target, "rb").read() != content:
            shutil.copy(source, target)  # with a new time: only what changed is compiled again
            os.utime(target)
        shutil.copymode(source, target)
    # What a former copy left over must not be compiled.
    for folder, folders, names in os.walk(COPY):
        folders[:] = [f for f in folders if f != "target"]
        for name in names:
            if os.path.relpath(os.path.join(folder, name), COPY) not in wanted:
                os.remove(os.path.join(folder, name))


def run(change):
    """Runs the row's test in the copy: (tests run, messages of those that failed, log)."""
    for report in glob.glob(os.path.join(COPY, "*", "target", "surefire-reports", "*.xml")):
        os.remove(report)
    built = subprocess.run(
        ["mvn", "-q", "-B", "-Ddist", "-pl", change["module"], "-am", "test", f"-Dtest={change['test']}",
         "-Dsurefire.failIfNoSpecifiedTests=false"],
        cwd=COPY, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    tests, failures = 0, []
    for report in glob.glob(os.path.join(COPY, "*", "target", "surefire-reports", "*.xml")):
        for case in xml.etree.ElementTree.parse(report).getroot().iter("testcase"):
            tests += 1
            for failure in [*case.iter("failure"), *case.iter("error")]:
                failures.append(" ".join((failure.get("message") or failure.get("type") or "").split()))
    return tests, failures, built.stdout


def examine(change):
    tests, failures, log = run(change)
    if tests == 0:
        return False, "the test did not run:\n" + log[-2000:]
    if failures:
        return False, "red before anything was changed: " + failures[0]
    path = os.path.join(COPY, change["path"])
    lines, at = line_of(change, COPY)
    indent = lines[at][:len(lines[at]) - len(lines[at].lstrip())]
    original = "\n".join(lines)
    try:
        write(path, "\n".join([*lines[:at], indent + change["new"].strip(), *lines[at + 1:]]))
        tests, failures, log = run(change)
    finally:
        write(path, original)
    if tests == 0:
        return False, "the changed line does not compile:\n" + log[-2000:]
    if not failures:
        return False, "GREEN although the line was changed"
    return True, "red: " + (failures[0][:160] or "an exception without a message")


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def main(arguments):
    changes = rows()
    wanted = [a for a in arguments if not a.startswith("-")]
    unknown = sorted(set(wanted) - {change["row"] for change in changes})
    if unknown or set(arguments) - set(wanted) - {"--list"}:
        raise SystemExit(__doc__)
    changes = [change for change in changes if not wanted or change["row"] in wanted]
    for change in changes:
        line_of(change)
    if "--list" in arguments:
        for change in changes:
            print(f"{change['row']:4} {change['test']} ({change['module']})\n     - {change['old']}\n     + {change['new']}")
        return 0
    copy_tree()
    unnoticed = 0
    for number, change in enumerate(changes, 1):
        started = time.time()
        noticed, what = examine(change)
        unnoticed += not noticed
        print(f"[{number}/{len(changes)}] {change['row']:4} {change['test']} {what} ({time.time() - started:.0f} s)", flush=True)
    print(f"{len(changes) - unnoticed} of {len(changes)} changes were noticed")
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
