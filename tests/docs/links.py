# SPDX-License-Identifier: Apache-2.0
"""Relative links of all Markdown files: the file is there, and tracked with the project; the heading is there. Every page can be
reached from README.md. Called as  python3 links.py."""
import re
import sys
from pathlib import Path

from pages import all_pages

ROOT = Path(__file__).resolve().parent.parent.parent
LINK = re.compile(r"!?\[[^\]]*\]\(\s*([^)\s]+)[^)]*\)")


def prose(page):
    """The page without blocks, comments and code: these hold no links."""
    text = page.read_text(encoding="utf-8")
    text = re.sub(r"^( *)(```+|~~~+)[^\n]*\n.*?^ *\2[^\n]*$", "", text, flags=re.M | re.S)
    return re.sub(r"`[^`\n]*`", "code", re.sub(r"<!--.*?-->", "", text, flags=re.S))


def anchors(page):
    """The ids that a forge gives the headings: a repeated one has a number."""
    text = re.sub(r"^( *)(```+|~~~+)[^\n]*\n.*?^ *\2[^\n]*$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    found = {}
    for heading in re.findall(r"^#+ (.*)$", text, re.M):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        name = re.sub(r"[^\w\- ]", "", plain.strip().lower()).replace(" ", "-")
        found[name] = found.get(name, -1) + 1
        if found[name]:
            found[f"{name}-{found[name]}"] = 0
    return set(found)


def main():
    failures, linked, count = [], {}, 0
    for name in all_pages(ROOT):
        page = ROOT / name
        linked[page] = set()
        for target in LINK.findall(prose(page)):
            if re.match(r"[a-z]+:", target):
                continue
            count += 1
            path, _, part = target.partition("#")
            file = (page.parent / path).resolve() if path else page
            if not file.exists() or ROOT not in file.parents:
                failures.append(f"{name}: {target} is not there")
            elif part and (file.suffix != ".md" or part not in anchors(file)):
                failures.append(f"{name}: {target}: there is no such heading")
            linked[page].add(file)
    reached, front = set(), {ROOT / "README.md"}
    while front:
        reached |= front
        front = {file for page in front for file in linked.get(page, ())} - reached
    failures += [f"{page.relative_to(ROOT)} cannot be reached from README.md" for page in linked if page not in reached]
    if count < 20:
        failures.append(f"only {count} links: are pages read rightly?")
    print(*failures, sep="\n")
    return 1 if failures else 0


sys.exit(main())
