# SPDX-License-Identifier: Apache-2.0
"""docs/errors.md has a section for every status of the header, and in it a message that its code is shown to give; that it does
give it is what snippets.py tests."""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def main():
    header = (ROOT / "include" / "cfdtbd.h").read_text(encoding="utf-8")
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    statuses = re.findall(r"^    (CFD_\w+) = (\d+)", header.split("enum cfd_status {")[1].split("}")[0], re.M)
    sections = {section.split("\n")[0]: section for section in page.split("\n## ")[1:]}
    failures = [] if len(statuses) >= 10 else ["the header has fewer statuses than it had: is it read rightly?"]
    for name, number in statuses[1:]:
        section = sections.get(f"{name} ({number})", "")
        if not re.search(rf"^<!-- output.* -->\n```text\n(.+\n)*{number} {name}: .", section, re.M):
            failures.append(f'docs/errors.md: a section "## {name} ({number})" with a message that is tested wanted')
    known = {name for name, _ in statuses}
    failures += [f"docs/errors.md: {name} is no status" for name in set(re.findall(r"CFD_ERROR_\w+", page)) - known]
    print(*failures, sep="\n")
    return 1 if failures else 0


sys.exit(main())
