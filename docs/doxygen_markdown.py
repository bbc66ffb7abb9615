# SPDX-License-Identifier: Apache-2.0
"""Doxygen's filter for Markdown: what a forge does by itself. Headings get the ids that links of other pages name
(page.md#heading), markers of tests and comments go, links to files that are no pages become plain text.
Called as  python3 doxygen_markdown.py FILE;  prints the page."""
import re
import sys
from pathlib import Path

LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)\)")


def anchor(heading):
    """The id that a forge gives a heading."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", plain.strip().lower()).replace(" ", "-")


def identifier(page, heading):
    return f"{page.stem}-{heading}".replace(".", "-").lower()


def link(page):
    def replaced(match):
        text, target = match.groups()
        if re.match(r"[a-z]+:", target):
            return match[0]
        name, _, part = target.partition("#")
        file = (page.parent / name) if name else page
        if part:
            return f'@ref {identifier(file, part)} "{" ".join(text.split())}"'
        if file.suffix == ".md":
            return match[0] if file.name != "README.md" else f'@ref index "{text}"'
        if file.suffix in (".h", ".hpp"):
            return f"@ref {file.name}"
        return text
    return replaced


def prose(page, text, named):
    """Text between blocks. The first heading of a page names it (named: there was one already); README.md is named by Doxygen."""
    def headed(match):
        nonlocal named
        marks, heading = match.groups()
        name = identifier(page, anchor(heading)) if named else f"page-{page.stem}"
        head = match[0] if not named and page.name == "README.md" else f"{marks} {heading} {{#{name}}}"
        named = True
        return head

    text = text.replace("@", "\\@")
    text = re.sub(r"`([^`\n]*::[^`\n]*)`", lambda match: "<tt>" + match[1].replace("::", "\\::") + "</tt>", text)
    text = re.sub(r"^(#+) (.*)$", headed, text, flags=re.M)
    return LINK.sub(link(page), text), named


def main():
    page = Path(sys.argv[1])
    text = re.sub(r"^ *<!--.*?-->\n", lambda match: "\n" * match[0].count("\n"), page.read_text(encoding="utf-8"), flags=re.S | re.M)
    named = False
    for part in re.split(r"(^ *```[\s\S]*?^ *```\n)", text, flags=re.M):
        if not part.lstrip().startswith("```"):
            part, named = prose(page, part, named)
        print(part, end="")


main()
