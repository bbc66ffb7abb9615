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

# shorten OLD NEW: NEW, in which every struct that begins with struct_size, and has more fields than in OLD, has lost those
# that are new, so that abidiff compares what is left. (A suppression with has_data_member_inserted_at lets pass whatever else
# has become of such a struct.) Fails, and says so on stderr, where a field has another name and was not reserved, or lies in
# what was padding, which struct_size would not show.
shorten()
{
    awk -F"'" '
        function value(key,  i) {
            for (i = 1; i < NF; i += 2) if ($i ~ "(^| )" key "=$") return $(i + 1)
            return ""
        }
        function complain(text) {
            print text >"/dev/stderr"
            failed = 1
        }
        /<class-decl / && !/is-declaration-only/ {
            name = value("name")
            n = 0
            if (pass == 1) size[name] = value("size-in-bits")
        }
        /<data-member/ {offset = value("layout-offset-in-bits")}
        /<var-decl/ && name != "" {
            if (pass == 1) field[name, n] = value("name")
            count[pass, name] = ++n
            if (pass == 2 && n <= count[1, name] && field[name, n - 1] != value("name") && field[name, n - 1] !~ /^reserved/)
                complain(name "." field[name, n - 1] " is now " value("name"))
            if (pass == 2 && (name in size) && n > count[1, name] && offset < size[name])
                complain(name "." value("name") " lies in what was padding")
        }
        pass == 3 {
            grown = (name in size) && field[name, 0] == "struct_size" && count[2, name] > count[1, name]
            if (grown && /<class-decl /) sub(/size-in-bits=.[0-9]*./, "size-in-bits=\047" size[name] "\047")
            dropped = grown && (n > count[1, name] || (/<data-member/ && n == count[1, name]))
            if (!dropped || /<\/class-decl>/) print
        }
        /<\/class-decl>/ {name = ""}
        END {exit failed}' pass=1 "$1" pass=2 "$2" pass=3 "$2"
}

# classify OLD NEW SCRATCH: prints same, compatible or break; what changed is in SCRATCH, a file. By abidiff's exit code: bits 1
# and 2, an error; 4, a change; 8, one that cannot be compatible. What abidiff calls harmless (a new enumerator, another name of
# a field) is not "same", so that the baseline keeps up.
classify()
{
    shortened=$3.shortened
    status=0
    abidiff --no-default-suppression --harmless "$1" "$2" >"$3" 2>&1 || status=$?
    [ $((status & 3)) -eq 0 ] || { cat "$3" >&2 && return 1; }
    if [ "$status" -eq 0 ]; then
        echo same
        return
    fi
    class=compatible
    shorten "$1" "$2" 2>>"$3" >"$shortened" || class='break'
    status=0
    abidiff --no-default-suppression --no-added-syms "$1" "$shortened" >"$3.breaks" 2>&1 || status=$?
    [ $((status & 3)) -eq 0 ] || { cat "$3.breaks" >&2 && return 1; }
    [ "$status" -eq 0 ] || class='break'
    echo "$class"
}
