#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# objects.sh LIBRARY ARCHIVE
# What a guest in another's process must not have: constructors, writable globals, imports that print, end the process or
# change its state. The archive's one object is all objects of the library joined, so its sections and imports are all there
# are. (The shared library has one constructor more, libgcc's, which finds out what the processor can do.)
set -eu
library=$1 archive=$2
here=$(cd "$(dirname "$0")" && pwd)
command -v readelf >/dev/null || { echo "no readelf: not tested" >&2 && exit 77; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
broken=0

complain()
{
    echo "$*" >&2
    broken=1
}

# ---- sections: NAME SIZE FLAGS, sizes in hexadecimal ----
readelf -SW "$archive" | sed -n 's/^ *\[ *[0-9]*\] *//p' |
    awk '$1 ~ /^\./ {flags = $7; if (flags !~ /^[A-Zopxl]+$/) flags = "-"; print $1, $5, flags}' >"$work/sections"
grep -q '^\.text ' "$work/sections" || complain "$archive: no sections were read"
while read -r name size flags; do
    case $size in *[!0]*) ;; *) continue ;; esac
    case $name in
    .init_array* | .fini_array* | .preinit_array* | .ctors* | .dtors* | .init | .fini)
        complain "$archive: $name, code that runs when the library is loaded or unloaded" ;;
    .data.rel.ro* | .tbss) ;; # constants that hold addresses; memory of each thread, looked at below
    *) case $flags in *W*) complain "$archive: $name, $size bytes that are writable" ;; esac ;;
    esac
done <"$work/sections"
readelf -SW "$archive" | grep 'note.GNU-stack' >"$work/stack" || complain "$archive: no .note.GNU-stack"
! grep -q ' X ' "$work/stack" || complain "$archive: wants an executable stack"

# ---- memory of threads, and common blocks ----
threads=$(readelf -sW "$archive" | awk '$4 == "TLS" {print $8}')
[ "$threads" = last_message ] || complain "$archive: memory of each thread other than last_message:" "$threads"
common=$(readelf -sW "$archive" | awk '$7 == "COM" {print $8}')
[ -z "$common" ] || complain "$archive: writable:" "$common"

# ---- imports: those of imports.txt. A hardened function counts as what it hardens. ----
nm -u "$archive" | awk 'NF == 2 {print $2}' | sed -e 's/^__\(.*\)_chk$/\1/' -e 's/^__isoc[0-9]*_//' |
    LC_ALL=C sort -u >"$work/imports"
[ -s "$work/imports" ] || complain "$archive: no imports were read"
sed -e '/^#/d' -e '/^$/d' "$here/imports.txt" >"$work/allowed"
grep -vxE -f "$work/allowed" "$work/imports" >"$work/others" || true
[ ! -s "$work/others" ] ||
    complain "$archive calls what tests/abi/imports.txt does not name:" "$(tr '\n' ' ' <"$work/others")"

# ---- the shared library ----
readelf -dW "$library" >"$work/dynamic"
readelf -lW "$library" >"$work/segments"
grep -q 'SONAME.*\[libcfdtbd\.so\.[0-9]*\]' "$work/dynamic" || complain "$library: no SONAME libcfdtbd.so.N"
sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p' "$work/dynamic" >"$work/needed"
expected='libdnnl|libgomp|libgcc_s|libcblas|libblas|libopenblas|libm|libc|libdl|libpthread|ld-linux[-a-z0-9_]*'
others=$(grep -vE "^($expected)\.so\.[0-9]+$" "$work/needed" || true)
[ -z "$others" ] || complain "$library needs" "$others"
grep -q 'libc\.so' "$work/needed" || complain "$library: what it needs was not read"
! grep -qE 'TEXTREL|\(RPATH\)' "$work/dynamic" || complain "$library: TEXTREL or RPATH"
grep -qE 'BIND_NOW|FLAGS.* NOW' "$work/dynamic" || complain "$library: its table of functions stays writable (no BIND_NOW)"
grep -q 'GNU_RELRO' "$work/segments" || complain "$library: no RELRO"
grep -E 'GNU_STACK' "$work/segments" | grep -q ' RW ' || complain "$library: an executable stack"
exit "$broken"
