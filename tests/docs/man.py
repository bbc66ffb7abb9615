# SPDX-License-Identifier: Apache-2.0
"""The man pages: mandoc finds nothing to say about them; cfdtbd(1) has the commands and options that the program's --help has, no
more and no fewer; cfdtbd(3) has the functions and statuses of the headers; their examples run.
Called as  python3 man.py PROGRAM BUILD."""
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import snippets

ROOT = Path(__file__).resolve().parent.parent.parent
MAN = ROOT / "docs" / "man"
failures = []


def printed(*arguments):
    return subprocess.run(arguments, stdout=subprocess.PIPE, universal_newlines=True, check=True).stdout


def compare(what, page, wanted):
    """Both directions, and nothing twice."""
    for word in sorted(set(wanted) | set(page)):
        if page.count(word) != (word in wanted):
            failures.append(f"{what}: {word} stands in the page {page.count(word)} times, {int(word in wanted)} wanted")


def sections(page, macro):
    """What follows each heading, by heading."""
    parts = re.split(rf"^\.{macro} (.*)\n", page, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def commands(program):
    """The commands of the program, those of bench each by itself."""
    for name in re.findall(r"^  ([a-z]\S*)  ", printed(program, "--help").split("commands:")[1].split("options:")[0], re.M):
        text = printed(program, name, "--help")
        below = re.findall(r"^  ([a-z]\S*)  ", text.split("options:")[0], re.M)
        yield from ([f"{name} {part}" for part in below] or [name])


def check_program(program):
    page = (MAN / "cfdtbd.1").read_text(encoding="utf-8")
    parts = sections(page, "Sh")
    described = sections(parts["COMMANDS"], "Ss")
    names = list(commands(program))
    compare("cfdtbd.1: commands", list(described), names)
    synopsis = re.findall(r"^\.Nm Cm ((?:bench )?[a-z]+)", parts["SYNOPSIS"], re.M)
    compare("cfdtbd.1: synopsis", synopsis, names)
    common = re.findall(r"^\.It Fl -(\S+)", parts["COMMON OPTIONS"], re.M)
    for name in set(names) & set(described):
        own, _, shared = described[name].partition("Common options:\n")
        listed = re.findall(r"^\.It Fl -(\S+)", own, re.M) + re.findall(r"^\.Fl -(\S+)", shared, re.M)
        compare(f"cfdtbd.1: {name}", listed, re.findall(r"^  --(\S+)", printed(program, *name.split(), "--help"), re.M))
        for option in re.findall(r"^\.Fl -(\S+)", shared, re.M):
            if option not in common:
                failures.append(f"cfdtbd.1: {name}: --{option} is no common option")
    for option in re.findall(r"^  --(\S+)", printed(program, "--help"), re.M):
        if f".Nm Fl -{option}\n" not in parts["SYNOPSIS"]:
            failures.append(f"cfdtbd.1: synopsis: --{option} wanted")
    return parts["EXAMPLES"]


def check_library():
    page = (MAN / "cfdtbd.3").read_text(encoding="utf-8")
    headers = "".join((ROOT / "include" / name).read_text(encoding="utf-8") for name in ("cfdtbd.h", "cfdtbd_serving.h"))
    code = re.sub(r"/\*.*?\*/", "", headers, flags=re.S)
    compare("cfdtbd.3: functions", re.findall(r"^\.It Fn (\w+)", page, re.M), re.findall(r"^CFD_API [^;(]*?\b(cfd_\w+)\(", code, re.M))
    parts = sections(page, "Sh")
    compare("cfdtbd.3: statuses", re.findall(r"CFD_(?:OK|ERROR_\w+)", parts["RETURN VALUES"]),
            re.findall(r"^    (CFD_OK|CFD_ERROR_\w+) = ", code, re.M))
    return parts["EXAMPLES"]


def run_examples(build, of_program, of_library):
    def literal(text):
        return "".join(re.findall(r"^\.Bd -literal.*\n((?:.*\n)*?)\.Ed", text, re.M)).replace("\\e", "\\")

    with tempfile.TemporaryDirectory(prefix="cfdtbd-man-") as work:
        place = snippets.Place(build, Path(work))
        folder = Path(work, "page")
        shutil.copytree(place.folder, folder)
        (folder / "example.c").write_text(literal(of_library))
        script = f'cc -Wall -Wextra -Werror example.c -o example {" ".join(place.flags)}\n./example\nmv DATA DATA-photo\n'
        for part in (script, literal(of_program).replace("train DATA --preset", "train DATA-photo --preset")):
            done = snippets.call(["sh", "-eu", "-c", part], folder, place.environment)
            if done.returncode != 0:
                failures.append(f"examples: exit code {done.returncode}\n{part}{done.stderr[-2000:]}")


def main():
    program, build = sys.argv[1], Path(sys.argv[2]).resolve()
    if not shutil.which("mandoc"):
        print("no mandoc: the man pages are not checked")
        return 77
    lint = subprocess.run(["mandoc", "-T", "lint", "-W", "style", "cfdtbd.1", "cfdtbd.3"], cwd=MAN, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, universal_newlines=True, check=False).stdout
    # Whether the other page is installed on this machine says nothing about this one.
    failures.extend(line for line in lint.splitlines() if not re.search(r"referenced manual not found: Xr cfdtbd [13]\b", line))
    run_examples(build, check_program(program), check_library())
    print(*failures, sep="\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
