# SPDX-License-Identifier: Apache-2.0
"""Reads Markdown as far as the tests of the documentation need it: fenced blocks with the markers before them, headings, links."""
import re
from pathlib import Path

MARKERS = re.compile(r"<!--\s*(?P<text>.*?)\s*-->", re.S)
KINDS = ("snippet", "not run", "file", "output", "output, other numbers")


class Trouble(Exception):
    """Something about a page that its author must mend."""


class Block:
    """A fenced block: its language ("" if it has none), its text, where it stands, and the markers before it."""

    def __init__(self, page, line, language, text, markers):
        self.page, self.line, self.language, self.text = page, line, language, text
        self.hidden, self.continues, self.fails, self.file_scope = "", False, False, False
        self.not_run, self.file, self.output = None, None, None
        for marker in markers:
            self._mark(marker)

    def __str__(self):
        return f"{self.page}:{self.line}"

    def _mark(self, marker):
        kind, _, rest = marker.partition(":")
        rest = rest.strip()
        if kind not in KINDS or (rest == "") != kind.startswith("output"):
            raise Trouble(f'{self}: "<!-- {marker} -->" is no marker; the top of tests/docs/snippets.py has them')
        if kind == "not run":
            self.not_run = rest
        elif kind == "file":
            self.file = rest
        elif kind.startswith("output"):
            self.output = kind
        elif rest == "continues":
            self.continues = True
        elif rest == "fails":
            self.fails = True
        elif rest == "file scope":
            self.file_scope = True
        else:
            self.hidden += rest + "\n"


def blocks(root, page):
    """The fenced blocks of root/page, in order."""
    found, fence, body, markers = [], None, [], []
    lines = (root / page).read_text(encoding="utf-8").split("\n")
    number = 0
    while number < len(lines):
        line = lines[number]
        number += 1
        opening = re.match(r"( *)(`{3,}|~{3,})\s*([^`\s]*)\s*$", line)
        if fence:
            if opening and opening[2].startswith(fence[1]) and not opening[3]:
                indent = len(fence[0])
                text = "".join(part[indent:] + "\n" for part in body)
                found.append(Block(page, start, fence[2], text, markers))
                fence, body, markers = None, [], []
            else:
                body.append(line)
        elif opening:
            fence, start = opening.groups(), number
        elif line.lstrip().startswith("<!--"):
            comment = line.strip()
            while "-->" not in comment and number < len(lines):
                comment += "\n" + lines[number]
                number += 1
            markers += [match["text"] for match in MARKERS.finditer(comment)]
        elif line.strip():
            markers = []  # of no block: a comment of another kind
    if fence:
        raise Trouble(f"{page}:{start}: a block that does not end")
    return found


def all_pages(root):
    """README.md, the other pages of the root, docs/*.md (with folders below), relative to root."""
    at_the_root = sorted(path.name for path in Path(root).glob("*.md") if path.name != "README.md")
    return ["README.md"] + at_the_root + sorted(str(path.relative_to(root)) for path in Path(root, "docs").rglob("*.md"))
