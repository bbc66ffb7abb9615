#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# header.sh INCLUDE
# The header by itself: included twice, in every standard of C and C++ from the first that can read it, by gcc and clang,
# with all warnings that a strict project may have; every _INIT macro has a value for every field; nothing but CFD_ names is
# defined.
set -eu
include=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
broken=0

complain()
{
    echo "$*" >&2
    broken=1
}

# ---- what is included and defined ----
included=$(sed -n 's/^ *# *include *//p' "$include/cfdtbd.h" "$include/cfdtbd_serving.h" | LC_ALL=C sort | tr '\n' ' ')
[ "$included" = '"cfdtbd_serving.h" <stddef.h> <stdint.h> ' ] || complain "the header includes $included"

# ---- programs: every struct, set up by its macro, static and on the stack ----
structs=$(sed -n 's/^#define CFD_\([A-Z_]*\)_INIT .*/\1/p' "$include/cfdtbd.h" "$include/cfdtbd_serving.h" | LC_ALL=C sort)
with_size=$(cat "$include/cfdtbd.h" "$include/cfdtbd_serving.h" |
    awk '/^typedef struct cfd_[a-z_]* {/ {name = $3} /^    size_t struct_size;/ {print toupper(substr(name, 5))}' |
    LC_ALL=C sort)
# The library fills a progress for its callback: nobody sets one up.
[ "$(echo "$with_size" | grep -vx PROGRESS)" = "$structs" ] ||
    complain "not every struct with struct_size has its _INIT macro"
{
    echo '#include "cfdtbd.h"'
    echo '#include "cfdtbd.h"'
    echo '#include "cfdtbd_serving.h"'
    echo '#if CFD_VERSION_NUMBER < 10000'
    echo '#error "version"'
    echo '#endif'
    for name in $structs; do
        type=cfd_$(echo "$name" | tr '[:upper:]' '[:lower:]')
        echo "static $type fixed_$type = CFD_${name}_INIT;"
        echo "static int check_$type(void)"
        echo '{'
        echo "    $type own = CFD_${name}_INIT;"
        echo "    return own.struct_size != sizeof own || fixed_$type.struct_size != sizeof(own);"
        echo '}'
    done
    echo 'int main(void)'
    echo '{'
    echo '    int failed = 0;'
    for name in $structs; do
        echo "    failed += check_cfd_$(echo "$name" | tr '[:upper:]' '[:lower:]')();"
    done
    echo '    return failed;'
    echo '}'
} >"$work/use.c"
cp "$work/use.c" "$work/use.cpp"
echo '#include "cfdtbd_serving.h"' >"$work/second.c"

strict="-Wall -Wextra -Wpedantic -pedantic-errors -Werror -Wundef -Wshadow -Wconversion -Wsign-conversion -Wcast-qual
    -Wcast-align -Wredundant-decls -Wmissing-declarations -Wwrite-strings -Wdouble-promotion -Wswitch-enum -Wformat=2"
strict_c="-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wnested-externs"
strict_cpp="-Wold-style-cast -Wzero-as-null-pointer-constant -Wnon-virtual-dtor -Woverloaded-virtual -Wextra-semi"

# compile COMPILER STANDARD FILE OPTION...
compile()
{
    compiler=$1 standard=$2 file=$3
    shift 3
    # shellcheck disable=SC2086
    if ! "$compiler" -std="$standard" $strict "$@" -I "$include" -o "$work/use" "$file" 2>"$work/messages"; then
        complain "$compiler -std=$standard:"
        head -n 20 "$work/messages" >&2
        return 0
    fi
    "$work/use" || complain "$compiler -std=$standard: an _INIT macro does not set struct_size"
}

compilers=0
for pair in gcc:g++ clang:clang++; do
    c=${pair%%:*} cpp=${pair##*:}
    if ! command -v "$c" >/dev/null || ! command -v "$cpp" >/dev/null; then
        echo "no $c or $cpp: the header is not tested with it" >&2
        continue
    fi
    compilers=$((compilers + 1))
    for standard in c89 c99 c11 c17 gnu17; do
        # shellcheck disable=SC2086
        compile "$c" "$standard" "$work/use.c" $strict_c
    done
    for standard in c++98 c++11 c++17 c++20; do
        case $standard in c++98) more='' ;; *) more=$strict_cpp ;; esac
        # shellcheck disable=SC2086
        compile "$cpp" "$standard" "$work/use.cpp" -Wold-style-cast $more
    done
    ! "$c" -I "$include" -fsyntax-only "$work/second.c" 2>"$work/messages" || complain "$c takes cfdtbd_serving.h by itself"
    grep -q 'include cfdtbd.h' "$work/messages" || complain "$c: cfdtbd_serving.h by itself does not say what to do"
    # Macros: those of the header are what the two standard headers do not define.
    printf '#include <stddef.h>\n#include <stdint.h>\n' >"$work/standard.c"
    "$c" -E -dM "$work/standard.c" | LC_ALL=C sort >"$work/standard"
    "$c" -E -dM -I "$include" "$include/cfdtbd.h" | LC_ALL=C sort | LC_ALL=C comm -13 "$work/standard" - >"$work/macros"
    grep -q CFD_VERSION_MAJOR "$work/macros" || complain "$c: no macros were read"
    others=$(grep -vE '^#define (CFD_|CFDTBD_H|CFDTBD_SERVING_H)' "$work/macros" || true)
    [ -z "$others" ] || complain "the header defines $others"
done
[ "$compilers" -gt 0 ] || exit 77
exit "$broken"
