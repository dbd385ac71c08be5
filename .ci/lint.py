#!/usr/bin/env python3
"""The repository's own rules, one function each. Prints what breaks them; exit code 1 if anything does."""

import os
import re
import subprocess
import sys
import urllib.parse
import xml.etree.ElementTree

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
POM = {"m": "http://maven.apache.org/POM/4.0.0"}
TEXT = (".md", ".java", ".xml", ".yaml", ".yml", ".proto", ".py", ".sh", ".c", ".sql", ".properties", ".html", ".css", ".js")
MAX_LINES, MAX_TEST_LINES = 500, 1000
DEPENDENCIES = "docs/dependencies.md"

problems = []


def problem(path, line, message):
    problems.append(f"{path}:{line}: {message}" if line else f"{path}: {message}")


def repository_files():
    """Paths that are in the repository or could be added to it."""
    if os.path.exists(os.path.join(ROOT, ".git")):
        listed = subprocess.run(
            ["git", "-c", "core.quotePath=false", "ls-files", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
        return sorted(p for p in listed if os.path.isfile(os.path.join(ROOT, p)))
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [f for f in folders if f not in ("target", ".git", ".idea")]
        found += [os.path.relpath(os.path.join(folder, n), ROOT) for n in names]
    return sorted(found)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def white_space(files):
    """No trailing blanks, no tabs, one newline at the end."""
    for path in files:
        if not path.endswith(TEXT) and path not in ("beckon", "check", ".ci/run") and not re.fullmatch(r"bench/[\w/-]+", path):
            continue
        text = read(path)
        for number, line in enumerate(text.split("\n"), 1):
            if line != line.rstrip():
                problem(path, number, "blanks at the end of the line")
            if "\t" in line:
                problem(path, number, "a tab (expected spaces)")
        if text and (not text.endswith("\n") or text.endswith("\n\n")):
            problem(path, None, "must end in exactly one newline")


def anchor(heading):
    """The anchor that a heading gets on the usual Markdown hosts."""
    heading = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    heading = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return heading.replace(" ", "-")


def without_code(text):
    """Markdown with code blanked out, line numbers kept."""
    text = re.sub(r"^( *)(```|~~~).*?^\1\2 *$", lambda m: "\n" * m.group(0).count("\n"), text, flags=re.M | re.S)
    return re.sub(r"`[^`\n]*`", "", text)


def anchors_of(path):
    found, text = set(), re.sub(r"^( *)(```|~~~).*?^\1\2 *$", "", read(path), flags=re.M | re.S)
    for heading in re.findall(r"^#{1,6} +(.*?) *#*$", text, flags=re.M):
        name, n = anchor(heading.replace("`", "")), 0
        while (name if n == 0 else f"{name}-{n}") in found:
            n += 1
        found.add(name if n == 0 else f"{name}-{n}")
    return found | set(re.findall(r"""<a (?:id|name)=["']([^"']+)["']""", text))


def links(files):
    """Every link from one document to a file, folder or heading of the repository leads somewhere."""
    for path in (p for p in files if p.endswith(".md")):
        text = without_code(read(path))
        targets = [(m.start(), m.group(1)) for m in re.finditer(r"\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)", text)]
        targets += [(m.start(), m.group(1)) for m in re.finditer(r"^ *\[[^\]]+\]: +(\S+)", text, flags=re.M)]
        targets += [(m.start(), m.group(1)) for m in re.finditer(r"""<(?:img|a) [^>]*(?:src|href)=["']([^"']+)""", text)]
        for position, target in targets:
            if re.match(r"[a-z][a-z0-9+.-]*:", target):
                continue
            line = text.count("\n", 0, position) + 1
            file, _, fragment = urllib.parse.unquote(target).partition("#")
            other = os.path.normpath(os.path.join(os.path.dirname(path), file)) if file else path
            if other.startswith("..") or not os.path.exists(os.path.join(ROOT, other)):
                problem(path, line, f"link to {target} (no such file)")
            elif fragment and other.endswith(".md") and fragment not in anchors_of(other):
                problem(path, line, f"link to {target} (no such heading)")


def package_info(files):
    """Every package says what it is for and is @NullMarked."""
    java = [p for p in files if p.endswith(".java")]
    for folder in sorted({os.path.dirname(p) for p in java if "/src/main/java/" in p}):
        info = f"{folder}/package-info.java"
        if info not in java:
            problem(folder, None, "package-info.java is missing (expected: its purpose in a sentence, and @NullMarked)")
            continue
        text = read(info)
        if "@NullMarked" not in text:
            problem(info, None, "@NullMarked is missing")
        if "/**" not in text:
            problem(info, None, "the package's purpose is missing (expected a Javadoc sentence)")


def java(files):
    """Small rules that no compiler plugin has."""
    forbidden = [
        (re.compile(r"^\s*\*\s*@author|@since \d{4}"), "no authors and dates in comments"),
        (re.compile(r"@Disabled\b"), "no disabled tests"),
        (re.compile(r"\bTODO\b(?!\(#\d+\))"), "TODO without an issue: TODO(#123)"),
        (re.compile(r"\b(class|interface|record|enum) \w+(Impl|Manager|Helper|Util|Utils|Data|Info)\b"),
         "a name that says nothing (Impl, Manager, Helper, Util, Data, Info)"),
    ]
    for path in (p for p in files if p.endswith(".java")):
        lines = read(path).split("\n")
        most = MAX_TEST_LINES if "/src/test/" in path else MAX_LINES
        if len(lines) - 1 > most:
            problem(path, None, f"{len(lines) - 1} lines (expected at most {most}): split it")
        for number, line in enumerate(lines, 1):
            for pattern, message in forbidden:
                if pattern.search(line):
                    problem(path, number, message)
            if "/src/test/" in path and "Thread.sleep(" in line:
                problem(path, number, "no sleeping in tests: wait for what must happen")


def dependencies(files):
    """Every dependency and plugin named in a pom has a line in the list, and the list names no others."""
    named = {}
    for path in (p for p in files if os.path.basename(p) == "pom.xml"):
        root = xml.etree.ElementTree.parse(os.path.join(ROOT, path)).getroot()
        own = {e.text for e in root.findall("m:artifactId", POM)}
        for kind in ("dependency", "plugin", "path"):
            for element in root.iter(f"{{{POM['m']}}}{kind}"):
                artifact = element.findtext("m:artifactId", namespaces=POM)
                group = element.findtext("m:groupId", "org.apache.maven.plugins", POM)
                if artifact and artifact not in own and group != "dev.beckon":
                    named.setdefault(artifact, path)
    if DEPENDENCIES not in files:
        problem(DEPENDENCIES, None, "is missing")
        return
    listed = {}
    for number, line in enumerate(read(DEPENDENCIES).split("\n"), 1):
        if line.startswith("|"):
            for artifact in re.findall(r"`([\w.-]+)`", line.split("|")[1]):
                listed[artifact] = number
    for artifact in sorted(named.keys() - listed.keys()):
        problem(named[artifact], None, f"{artifact} has no line in {DEPENDENCIES} (why, who may use it, licence)")
    for artifact in sorted(listed.keys() - named.keys() - {"google-java-format"}):
        problem(DEPENDENCIES, listed[artifact], f"{artifact} is in no pom any more")


def decisions(files):
    """Decision records have numbers of their own."""
    seen = {}
    for path in (p for p in files if re.match(r"docs/adr/.*\.md$", p)):
        match = re.match(r"docs/adr/(\d{4})-[a-z0-9-]+\.md$", path)
        if not match:
            if os.path.basename(path) != "README.md":
                problem(path, None, "name (expected docs/adr/NNNN-words-of-the-title.md)")
        elif match.group(1) in seen:
            problem(path, None, f"number {match.group(1)} is taken by {seen[match.group(1)]}")
        else:
            seen[match.group(1)] = path


def coverage():
    """Every line that docs/COVERAGE.md changes is there once."""
    found = subprocess.run([sys.executable, os.path.join(ROOT, ".ci", "coverage.py"), "--list"],
                           capture_output=True, text=True)
    if found.returncode != 0:
        problem("docs/COVERAGE.md", None, found.stderr.strip())


def main():
    files = repository_files()
    for rule in (white_space, links, package_info, java, dependencies, decisions):
        rule(files)
    coverage()
    for text in problems:
        print(text)
    if problems:
        sys.exit(1)
    print(f"{len(files)} files clean")


if __name__ == "__main__":
    main()
