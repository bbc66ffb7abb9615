#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The checks of .clang-tidy on lib/, the public headers, examples/ and the tests of the C++ wrapper; the static analyser, which
# takes most of the time, on lib/ alone. Each file is looked at once, by the first of the commands that compile it; what a build
# leaves out (an example without FAISS, say) is not looked at. Other major versions of clang-tidy have other checks, so with them
# the check is left out (77).
#
# tidy.sh ROOT BUILD [PATTERN]   BUILD: has compile_commands.json. PATTERN: of paths below ROOT (grep -E): these files instead,
#                                with the analyser. Of tests/*.c some findings are meant.
set -eu
cd "$1"
tree=$(cd "$2" && pwd)
pattern=${3:-^(lib|examples|tests/cpp)/}
analysed=${3:-^lib/}
# shellcheck source=tests/style/files.sh
. tests/style/files.sh

clang_tool tidy

# The first command of each file, in the form that CMake writes: a line for each brace and member.
awk '
    /^\{/ { entry = ""; file = "" }
    { entry = entry $0 "\n" }
    /^ *"file":/ { file = $0 }
    /^\}/ { if (!(file in seen)) { seen[file] = 1; printf "%s%s", n++ ? ",\n" : "[\n", substr(entry, 1, index(entry, "\n}") + 1) } }
    END { print "\n]" }' "$tree/compile_commands.json" >"$work/compile_commands.json"
sed -n "s|^ *\"file\": \"$(pwd -P)/\(.*\)\",\{0,1\}\$|\1|p" "$work/compile_commands.json" | sort | grep -E "$pattern" >"$work/files"
[ $# -gt 2 ] || [ "$(wc -l <"$work/files")" -ge 150 ] || { echo "only $(wc -l <"$work/files") files found" >&2; exit 1; }

# One file: silent where nothing was found. The compiler of the commands is another: it has other warnings, and another default
# for C++.
export program work analysed
# shellcheck disable=SC2016
xargs -P "$(nproc)" -n 1 sh -c '
    case $1 in *.cpp) standard=c++17 ;; *) standard=c11 ;; esac
    echo "$1" | grep -qE "$analysed" && checks= || checks=-clang-analyzer-*
    "$program" --quiet -p "$work" --checks="$checks" --extra-arg=-Wno-unknown-warning-option --extra-arg=-std=$standard "$1" \
        >"$work/$$.log" 2>&1 || { cat "$work/$$.log"; exit 1; }' tidy <"$work/files"
