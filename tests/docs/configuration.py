# SPDX-License-Identifier: Apache-2.0
"""docs/configuration.md is what `cfdtbd config --markdown` prints, with every key under a heading and a line of help.
Called as  python3 configuration.py PROGRAM.  To make the page:  PROGRAM config --markdown >docs/configuration.md"""
import difflib
import json
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "configuration.md"


def printed(*arguments):
    return subprocess.run([sys.argv[1], "config", *arguments], stdout=subprocess.PIPE, universal_newlines=True, check=True).stdout


def main():
    made, committed = printed("--markdown"), PAGE.read_text(encoding="utf-8")
    if made != committed:
        sys.stdout.writelines(difflib.unified_diff(committed.splitlines(True), made.splitlines(True), str(PAGE), "printed"))
        return 1
    lines = made.split("\n")
    for key in json.loads(printed("--json")):
        rows = [line for line in lines if line.startswith(f"| `{key['key']}` | {key['type']}")]
        if len(rows) != 1 or len(key["help"].split()) < 3:
            print(f"{key['key']}: one row with help wanted, not {rows}")
            return 1
    first_row = next(n for n, line in enumerate(lines) if line.startswith("| `"))
    if not any(line.startswith("## ") for line in lines[:first_row]):
        print("a heading before the first key wanted")
        return 1
    refused = subprocess.run([sys.argv[1], "config", "--markdown", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if refused.returncode != 2 or refused.stdout:
        print("--markdown with --json is to be refused")
        return 1
    return 0


sys.exit(main())
