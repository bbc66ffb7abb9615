#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What is said of all files of the project: the licence line, what .editorconfig says of bytes and lines, the length of
# sources, and no notes of work left undone. Called with the project's root.
set -eu
cd "$1"
# shellcheck source=tests/style/files.sh
. tests/style/files.sh
LC_ALL=C.UTF-8
export LC_ALL
broken=0

# complain WHY: about each line of standard input, of which there should be none.
complain()
{
    while read -r line; do
        echo "$line: $*" >&2
        broken=1
    done
    [ "$broken" -eq 0 ] || : >"$work/broken"
}

# matching FILES OPTION... PATTERN: grep over the text files that FILES lists, "FILE:LINE" for each match.
matching()
{
    list=$1
    shift
    xargs -d '\n' grep -nHI "$@" /dev/null <"$list" | cut -d: -f1,2
}

project_files >"$work/all"
[ "$(wc -l <"$work/all")" -ge 500 ] || { echo "only $(wc -l <"$work/all") files found" >&2; exit 1; }
grep -E '\.(c|h|cpp|hpp|cu|cuh|py|sh|cmake|map)(\.in)?$|(^|/)CMakeLists.txt$|^tests/cli/[^./]*$|^\.ci/' "$work/all" >"$work/sources"

# ---- the licence ----
while read -r file; do
    case $(sed -n '1{/^#!/n;p;q}' "$file") in
    "/* SPDX-License-Identifier: Apache-2.0 */" | "# SPDX-License-Identifier: Apache-2.0") ;;
    *) echo "$file" ;;
    esac
done <"$work/sources" | complain "the first line (the second, after #!) is not the licence's"

# ---- .editorconfig ----
matching "$work/all" '[[:space:]]$' | complain "space at the end of the line, or a carriage return"
grep -vE '(^|/)(Makefile|GNUmakefile)$|^debian/rules$' "$work/all" >"$work/spaced"
matching "$work/spaced" -P '\t' | complain "a tab"
matching "$work/all" -avxE '.*' | complain "not UTF-8"
xargs -d '\n' grep -Il '' /dev/null <"$work/all" >"$work/text"
while read -r file; do
    [ ! -s "$file" ] || [ -z "$(tail -c 1 "$file")" ] || echo "$file"
done <"$work/text" | complain "no newline at the end"

# ---- lengths ----
xargs -d '\n' wc -l <"$work/sources" | awk '$2 != "total" && $1 > 800 { print $2 }' | complain "more than 800 lines"

# ---- work left undone ----
grep -vE '^(tests/style/text\.sh|CONTRIBUTING\.md)$' "$work/all" >"$work/others"
matching "$work/others" -wE 'TODO|FIXME|XXX' | complain "work left undone"
[ ! -e "$work/broken" ]
