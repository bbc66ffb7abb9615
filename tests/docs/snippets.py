# SPDX-License-Identifier: Apache-2.0
"""Runs every fenced block of README.md, the other pages beside it and docs/*.md. Called as  python3 snippets.py BUILD [PAGE...],  BUILD a build folder
with all programs, PAGE for instance docs/guide.md (all pages if none is named).

How blocks are written
----------------------
The language after the fence says what happens with a block:

    c, cpp      With main: compiled with -Wall -Wextra -Werror against the installed library and run with the one argument
                DATA. Without: a fragment, put into a function that may use `context`, `config`, `dataset`, `model`
                (trained, with keep.history) and `scorer`; in C they are pointers, frame.h has them, in C++ objects, frame.hpp.
                A call of the library that fails in a fragment fails the test, and so does `return 1;`.
    sh          Run with sh -eu.
    python      Run with examples/python on its path.
    cmake       Configured and built: a whole CMakeLists.txt if it calls project(), else lines of one.
    json        Must be JSON.
    text        Output, formulas, synopses: not run. So is a block without a language. Any other language is an error.

All blocks of a page run in order in one folder, which begins with
    DATA             60 users (alice, anna, bob, user-3, ...), 40 items (red shoes, scarf, blue shoes, item-3, ...), dense `photo`,
                     tags `title`, three splits, names
    BEAUTY, TIKTOK   300 users, 400 items; tags `visual` and `title`; dense `image` and `audio`
    model.safetensors, run.json    a model of DATA and its report: roles visual and textual, with keep.history
    ratings.csv      user,item,timestamp,rating: the same people and things
and with cfdtbd, cfdtbd-service, cfdtbd-study, debian-packages and an apt-cache that knows 100 packages on PATH; pkg-config
and CMake find the library. Standard input is empty.

Comments directly before a block, which readers do not see, say the rest; several may stand there:

    <!-- snippet: CODE -->      CODE, in the block's language, stands before the block: what it takes for granted.
    <!-- snippet: continues --> Goes on in the function (c, cpp) or program (python) of the page's block before it in this
                                language: the chain is one program, run where its last block stands.
    <!-- snippet: file scope --> c, cpp: functions and types, which the page's later fragments of this language have before them.
    <!-- snippet: fails -->     It must fail: a call of the library (c, cpp), the exit code (sh, python).
    <!-- file: NAME -->         The block, of any language, becomes the file NAME in the page's folder, and nothing else happens with
                                it (c, cpp: warnings are errors here, too); a later block must name it.
    <!-- output -->             A text or json block that is, but for white space at the ends of lines, the standard output of the
                                block before it. A line "..." stands for any number of lines.
    <!-- output, other numbers -->   The same, where any number may stand in place of a number.
    <!-- not run: REASON -->    The block is left alone. tests/docs/not_run.txt lists all of these: a line for each, as the test
                                prints it where the list is not right.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import world
from pages import Trouble, all_pages, blocks

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
NEXT = "\x1e"  # printed between the blocks of a chain
NUMBER = re.compile(r"-?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?|-?\b(inf|nan)\b")
LIMIT = 300  # seconds for a block


def call(arguments, folder, environment):
    return subprocess.run(arguments, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, universal_newlines=True, timeout=LIMIT)


class Place:
    """The folder that pages begin with, and the environment that blocks run in."""

    def __init__(self, build, folder):
        self.folder = folder / "start"
        self.folder.mkdir()
        prefix, programs = folder / "prefix", folder / "bin"
        done = call(["cmake", "--install", str(build), "--prefix", str(prefix)], folder, None)
        if done.returncode != 0:
            raise Trouble(f"{build} is not built: {done.stderr}")
        package = next(prefix.rglob("cfdtbd.pc")).parent
        path = [str(programs), str(prefix / "bin"), str(build / "examples"), os.environ["PATH"]]
        self.environment = dict(os.environ, LC_ALL="C", HOME=str(folder), PATH=":".join(path), CMAKE_PREFIX_PATH=str(prefix),
                                PKG_CONFIG_PATH=str(package), LD_LIBRARY_PATH=str(package.parent),
                                PYTHONPATH=str(ROOT / "examples" / "python"),
                                CFDTBD_LIBRARY=str(package.parent / "libcfdtbd.so"))
        self.flags = self.must("pkg-config", "--cflags", "--libs", "cfdtbd").split()  # -I first
        programs.mkdir()
        (programs / "apt-cache").write_text(f"#!/bin/sh\ncat '{self.folder}/dumpavail.txt'\n")
        (programs / "apt-cache").chmod(0o755)
        world.write_all(self.folder)
        self.must("cfdtbd", "train", "DATA", "--modality", "visual=photo", "--modality", "textual=title", "--epochs", "4",
                  "--set", "eval_every=2", "--set", "keep.history=yes", "--out", "model.safetensors", "--report", "run.json")

    def must(self, *arguments):
        done = call(arguments, self.folder, self.environment)
        if done.returncode != 0:
            raise Trouble(f"{' '.join(arguments)}: {done.stderr}")
        return done.stdout


class Page:
    """Runs the blocks of one page."""

    def __init__(self, place, name, folder):
        self.place, self.name, self.folder = place, name, folder
        self.chain, self.last, self.scope = [], True, {"c": "", "cpp": ""}
        self.printed, self.not_run, self.count = {}, [], 0

    def run(self):
        found = blocks(ROOT, self.name)
        before, outputs = None, []
        for number, block in enumerate(found):
            known = getattr(self, "do_" + (block.language or "text"), None)
            if not known:
                raise Trouble(f'{block}: the language "{block.language}" is unknown')
            if block.not_run:
                self.not_run.append(f"{self.name}: {block.language or 'text'}: {block.not_run}")
                before = None
            elif block.file:
                self.write(block, found[number + 1:])
            else:
                self.last = not self.goes_on(block, found[number + 1:])
                known(block)
                if block.output:
                    outputs.append((block, before))
                elif block.language not in ("", "text", "json"):
                    before = block
        for block, before in outputs:
            self.compare(block, before)

    @staticmethod
    def goes_on(block, later):
        """Whether the next block of the language goes on where this one stops."""
        same = [b for b in later if b.language == block.language and not (b.file_scope or b.not_run or b.file)]
        return bool(same) and same[0].continues

    def write(self, block, later):
        path = self.folder / block.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text)
        if not any(path.name in b.text for b in later if not b.not_run):
            raise Trouble(f"{block}: no later block names {block.file}")
        if block.language in ("c", "cpp"):
            self.compile(block, ["-fsyntax-only", block.file])
        self.count += 1

    def finished(self, chain, done):
        """Looks at how the program of a chain of blocks ended, and keeps what each of them printed."""
        self.count += len(chain)
        wanted = chain[-1].fails and chain[-1].language in ("sh", "python")
        if (done.returncode != 0) != wanted:
            why = "exit code 0, a failure wanted" if wanted else f"exit code {done.returncode}"
            last = (done.stdout + done.stderr).splitlines(keepends=True)[-40:]
            raise Trouble(f"{chain[-1]}: {why}\n{''.join(last)}")
        self.printed.update(zip(chain, done.stdout.split(NEXT + "\n")))

    def do_sh(self, block):
        self.finished([block], self.call(["sh", "-eu", "-c", block.hidden + block.text]))

    def call(self, arguments):
        return call(arguments, self.folder, self.place.environment)

    def do_c(self, block):
        self.do_compiled(block, "frame.h", "void")

    def do_cpp(self, block):
        self.do_compiled(block, "frame.hpp", "")

    def do_compiled(self, block, frame, nothing):
        def numbered(part):
            return f'{part.hidden}#line {part.line + 1} "{part.page}"\n{part.text}'

        if re.search(r"\bint main\(", block.text):
            self.compile_and_run([block], numbered(block))
        elif block.file_scope:
            self.scope[block.language] += numbered(block)
            self.count += 1
        else:
            self.chain = self.chain + [block] if block.continues else [block]
            if self.last:
                body = 'puts("\\036");\n'.join(numbered(part) for part in self.chain)
                self.compile_and_run(self.chain, (
                    f'#include "{HERE / frame}"\n{self.scope[block.language]}\nstatic int fragment({nothing})\n{{\n{body}return 0;\n}}\n'
                    f"int main({nothing})\n{{\nreturn frame_run(fragment, {int(block.fails)});\n}}\n"))

    def compile_and_run(self, chain, text):
        source = f"snippet.{chain[-1].language}"
        (self.folder / source).write_text(text)
        self.compile(chain[-1], [source, "-o", "snippet"] + self.place.flags)
        self.finished(chain, self.call(["./snippet", "DATA"]))

    def compile(self, block, arguments):
        compiler = ["cc"] if block.language == "c" else ["c++", "-std=c++17"]
        built = self.call(compiler + ["-Wall", "-Wextra", "-Werror"] + self.place.flags[:1] + arguments + ["-lm"])
        if built.returncode != 0:
            raise Trouble(f"{block}: it does not compile\n{built.stderr}")

    def do_python(self, block):
        self.chain = self.chain + [block] if block.continues else [block]
        if self.last:
            body = f'print("{NEXT}", flush=True)\n'.join(b.hidden + b.text for b in self.chain)
            self.finished(self.chain, self.call([sys.executable, "-c", body]))

    def do_cmake(self, block):
        project = "" if re.search(r"^project\(", block.text, re.M) else "cmake_minimum_required(VERSION 3.18)\nproject(page C CXX)\n"
        folder = Path(tempfile.mkdtemp(dir=str(self.folder)))
        (folder / "CMakeLists.txt").write_text(project + block.hidden + block.text)
        done = self.call(["cmake", "-S", str(folder), "-B", str(folder / "build")])
        if done.returncode == 0:
            done = self.call(["cmake", "--build", str(folder / "build")])
        self.finished([block], done)

    def do_json(self, block):
        try:
            json.loads(block.text)
        except ValueError as problem:
            raise Trouble(f"{block}: {problem}") from problem
        self.count += 1

    def do_text(self, block):
        """Nothing, unless it is output: see compare."""

    def compare(self, block, before):
        if before not in self.printed:
            raise Trouble(f"{block}: output, but no block that ran stands before it")
        if not matches(block.text, self.printed[before], block.output.endswith("numbers")):
            raise Trouble(f"{block}: this is not what was printed, which is\n{self.printed[before]}")


def matches(wanted, got, other_numbers):
    """Whether the output is what a page shows. A line "..." of the page stands for any lines."""
    def pattern(line):
        if line.strip() == "...":
            return r"(?:.*\n)*?"
        parts = NUMBER.split(line)[::5] if other_numbers else [line]
        return (r"(?:" + NUMBER.pattern + r")").join(re.escape(re.sub(r" +", " ", part)) for part in parts) + r"\n"

    def lines(text):
        return [re.sub(r" +", " ", line.rstrip()) for line in text.rstrip().split("\n")]

    whole = "".join(pattern(line) for line in lines(wanted))
    return re.fullmatch(whole, "\n".join(lines(got)) + "\n") is not None


def run_page(page):
    """What is wrong with it, or None."""
    shutil.copytree(page.place.folder, page.folder)
    try:
        page.run()
    except (Trouble, subprocess.TimeoutExpired) as problem:
        return f"FAILED: {problem}"
    return None


def main():
    build, named = Path(sys.argv[1]).resolve(), sys.argv[2:]
    with tempfile.TemporaryDirectory(prefix="cfdtbd-docs-") as work:
        place = Place(build, Path(work))
        pages = [Page(place, name, Path(work, f"page{number}")) for number, name in enumerate(named or all_pages(ROOT))]
        with ThreadPoolExecutor(2) as both:
            failures = [problem for problem in both.map(run_page, pages) if problem]
    not_run = [line for page in pages for line in page.not_run]
    print(f"{sum(page.count for page in pages)} blocks ran. Not run:", *(not_run or ["none"]), sep="\n  ", flush=True)
    listed = (HERE / "not_run.txt").read_text().splitlines()
    if not named and sorted(not_run) != sorted(line for line in listed if not line.startswith("#")):
        failures.append("FAILED: tests/docs/not_run.txt is another list than this one")
    print(*failures, sep="\n", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Trouble as trouble:
        sys.exit(f"FAILED: {trouble}")
