# SPDX-License-Identifier: Apache-2.0
"""The HTML of the documentation: doxygen makes it without a warning, and in it every link to a page or place is right, nothing is
fetched from elsewhere, every page and header is there. Called as  python3 doxygen.py VERSION."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
from html.parser import HTMLParser
from pathlib import Path

from pages import all_pages

ROOT = Path(__file__).resolve().parent.parent.parent


class Reader(HTMLParser):
    """Links, ids and what is fetched, of one page."""

    def __init__(self, text):
        super().__init__()
        self.links, self.ids, self.fetched = set(), set(), set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.ids |= {values[key] for key in ("id", "name") if values.get(key)}
        if tag == "a" and values.get("href"):
            self.links.add(values["href"])
        if tag in ("img", "script", "object", "embed", "iframe"):
            self.fetched.add(values.get("src") or values.get("data") or "")


def made(folder):
    """The pages of HTML, by name."""
    return {path.name: Reader(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.html"))}


def wrong_links(pages, folder):
    for name, page in pages.items():
        for link in page.links:
            if re.match(r"[a-z]+:", link):
                continue
            file, _, part = link.partition("#")
            if file and not (folder / file).exists():
                yield f"{name}: {link}: no such file"
            elif part and (file or name) in pages and part not in pages[file or name].ids:
                yield f"{name}: {link}: no such place"
        for source in page.fetched:
            if source and source != "javascript:void(0)" and (re.match(r"[a-z]+:|//", source) or not (folder / source).exists()):
                yield f"{name}: {source} is not in the folder"


def main():
    if not shutil.which("doxygen"):
        print("no doxygen: its warnings are not checked")
        return 77
    with tempfile.TemporaryDirectory(prefix="cfdtbd-doxygen-") as work:
        environment = dict(os.environ, CFDTBD_DOCS_VERSION=sys.argv[1], CFDTBD_DOCS_OUTPUT=work)
        done = subprocess.run(["doxygen", "docs/Doxyfile"], cwd=ROOT, env=environment, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, universal_newlines=True, check=False)
        print(done.stdout)
        if done.returncode != 0 or done.stdout.strip():
            return 1
        folder = Path(work, "html")
        pages = made(folder)
        failures = list(wrong_links(pages, folder))
        wanted = [f"page-{Path(name).stem}.html" for name in all_pages(ROOT) if name != "README.md"]
        failures += [f"{name} was not made" for name in wanted + ["index.html", "cfdtbd_8h.html"] if name not in pages]
        print(*failures, sep="\n")
        return 1 if failures else 0


sys.exit(main())
