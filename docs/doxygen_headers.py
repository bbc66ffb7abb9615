# SPDX-License-Identifier: Apache-2.0
"""Doxygen's filter for headers: says at every declaration what the headers say once. What has no comment and no rule here stays without,
and Doxygen complains.

    structs     struct_size, fields called reserved, _INIT macros: their rule stands at the top of cfdtbd.h; the version's numbers
    a, b; /**<  a comment behind several names is of all of them
    functions   a declaration directly below another one shares its comment; handles among the parameters are what their type says
    C++         a method without a comment is the function of C that it names first

Called as  python3 doxygen_headers.py FILE;  prints the header."""
import re
import sys

HANDLES = {"context": "The context", "config": "The config", "dataset": "The data set", "model": "The model", "scorer": "The scorer"}


def structs(text):
    text = re.sub(r"^( +size_t struct_size;)$", r"\1 /**< sizeof of this struct. */", text, flags=re.M)
    text = re.sub(r"(?<!\*/\n)^#define CFD_VERSION_(?=MAJOR|MINOR|PATCH)", r"/** Of this header. */\n\g<0>", text, flags=re.M)
    text = re.sub(r"^( +\w+ reserved\d*;)$", r"\1 /**< 0. */", text, flags=re.M)
    text = re.sub(r"^\n(#define CFD_(\w+)_INIT )", r"/** Sets up a struct: its size, and the defaults. */\n\1", text, flags=re.M)
    return re.sub(r"^ +((?:const )?\w+) ([^\n/]*,[^\n/]*); +/\*\*<(.*?\*/)", parted, text, flags=re.M | re.S)


def parted(match):
    """Several names of one type, each by itself."""
    kind, names, comment = match.groups()
    return " ".join(f"/**{comment} {kind} {name.strip()};" for name in names.split(","))


def functions(text):
    def expanded(match):
        comment, declarations = match.groups()
        return "".join(described(comment, one) for one in re.findall(r"CFD_API [^;]*;\n", declarations))
    return re.sub(r"^(/\*\*(?:(?!\*/).)*\*/\n)((?:CFD_API [^;]*;\n)+)", expanded, text, flags=re.M | re.S)


def described(comment, declaration):
    """The declaration with its comment, in which handles are filled in, if it describes parameters at all."""
    added = ""
    for kind, stars, name in re.findall(r"\bcfd_(\w+) (\**)(\w+)[,)]", declaration):
        if kind in HANDLES and "@param" in comment and not re.search(rf"@param [\w, ]*\b{name}\b", comment):
            what = f"Out: {HANDLES[kind].lower()}, the caller's." if stars == "**" else f"{HANDLES[kind]}."
            added += f"\n * @param {name} {what}"
    first = comment.find("\n * @param")
    if added and first < 0:
        first = comment.find("@param")
        return comment[:first] + added.lstrip("\n *") + "\n * " + comment[first:] + declaration
    return comment[:first] + added + comment[first:] + declaration


def methods(text):
    """One line before each method of a class that has no comment: the function of C that stands first in it."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if re.match(r" {4}(?!return|using|friend|struct|class|template)[a-z][^;={}]*\(", line) and not lines[number - 1].endswith("*/"):
            body = "\n".join(lines[number:number + 12])
            body = re.split(r"\n    \}|\n\n|(?<=\})\n(?=    [a-z])", body)[0]
            called = re.search(r"\b(?!cfd_last_error)(cfd_\w+)[(,)]", body)
            if called:
                lines[number] = f"    /** {called[1]}(). */{line[3:]}"
    return "\n".join(lines)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        text = file.read()
    print(methods(text) if sys.argv[1].endswith(".hpp") else functions(structs(text)), end="")


main()
