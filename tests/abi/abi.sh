# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# For scripts to read in: descriptions of the library's ABI by libabigail, and what a change from one to another is.

have_abigail()
{
    for tool in abidw abidiff; do
        command -v "$tool" >/dev/null || { echo "no $tool (Debian: abigail-tools): not tested" >&2 && return 1; }
    done
}

# describe LIBRARY HEADERS OUT: exported functions and the types of the public headers; without paths and lines.
describe()
{
    abidw --headers-dir "$2" --drop-private-types --exported-interfaces-only --no-corpus-path --no-comp-dir-path \
        --no-show-locs --no-elf-needed --no-parameter-names --no-write-default-sizes --type-id-style hash "$1" |
        sed "s|^\( *<abi-instr .*path='\)[^']*/lib/|\1lib/|" >"$3"
}

# soname DESCRIPTION
soname()
{
    sed -n "s/^<abi-corpus .* soname='\([^']*\)'.*/\1/p" "$1"
}

# fields DESCRIPTION: a line for every field of every public struct: struct, its size, field's place, offset, name, type.
fields()
{
    awk -F"'" '
        function value(key,  i) {
            for (i = 1; i < NF; i += 2) if ($i ~ "(^| )" key "=$") return $(i + 1)
            return ""
        }
        /<class-decl/ && !/is-declaration-only/ {name = value("name"); size = value("size-in-bits"); n = 0}
        /<data-member/ {offset = value("layout-offset-in-bits")}
        /<var-decl/ && name != "" {print name, size, n++, offset, value("name"), value("type-id")}
        /<\/class-decl>/ {name = ""}' "$1" | LC_ALL=C sort -u
}

# grown OLD NEW SCRATCH: fails, naming the field, where a struct of NEW does not begin with all fields of OLD, as they were,
# or goes on with one that lies in what was padding, which struct_size would not show. (suppressions.abignore lets pass every
# struct that has a new field at its end, whatever became of the others.) A field named reserved may get a name.
grown()
{
    fields "$1" >"$3.old"
    fields "$2" >"$3.new"
    awk '
        NR == FNR {size[$1] = $2; offset[$1, $3] = $4; name[$1, $3] = $5; type[$1, $3] = $6; count[$1]++; next}
        !($1 in size) {next}
        $3 < count[$1] {
            seen[$1]++
            if ($4 != offset[$1, $3] || $6 != type[$1, $3] || ($5 != name[$1, $3] && name[$1, $3] !~ /^reserved/)) {
                print $1 ": field " $3 ", once " name[$1, $3] ", is " $5 " at bit " $4
                failed = 1
            }
            next
        }
        $4 < size[$1] {print $1 "." $5 " lies in what was padding"; failed = 1}
        END {
            for (s in seen) if (seen[s] != count[s]) {print s " has fewer fields than before"; failed = 1}
            exit failed
        }' "$3.old" "$3.new"
}

# classify OLD NEW SCRATCH SUPPRESSIONS: prints same, compatible or break; what changed is in SCRATCH. By abidiff's exit
# code: bits 1 and 2, an error; 4, a change; 8, one that cannot be compatible. Its own notion of harmless does not count for
# "same".
classify()
{
    breaks=$3.breaks
    status=0
    abidiff --no-default-suppression --harmless "$1" "$2" >"$3" 2>&1 || status=$?
    [ $((status & 3)) -eq 0 ] || { cat "$3" >&2 && return 1; }
    if [ "$status" -eq 0 ]; then
        echo same
        return
    fi
    status=0
    abidiff --no-default-suppression --suppressions "$4" --no-added-syms "$1" "$2" >"$breaks" 2>&1 || status=$?
    [ $((status & 3)) -eq 0 ] || { cat "$breaks" >&2 && return 1; }
    if grown "$1" "$2" "$3" >"$breaks" && [ "$status" -eq 0 ]; then
        echo compatible
    else
        echo break
    fi
    cat "$breaks" >>"$3"
}
