#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The arrows of docs/architecture.md, held against the includes: a folder of lib/ knows only those that its line here names.
# And what library code does not call. Called with the project's root. (tests/style holds what is said of all files.)
set -eu
cd "$1"
broken=0

complain()
{
    echo "$*" >&2
    broken=1
}

# allowed FOLDER KNOWN...
allowed()
{
    folder=$1
    shift
    known=" $folder $* "
    includes=$(grep -rH --include='*.[ch]' '^#include "' "lib/$folder") || complain "lib/$folder includes nothing"
    while IFS='"' read -r file header _; do
        case "$folder $header" in
        *" cfdtbd.h" | *" cfdtbd_serving.h" | "data model/settings.h" | "serve model/settings.h") continue ;;
        esac
        case $known in
        *" ${header%%/*} "*) ;;
        *) complain "${file%%:*} includes $header: lib/$folder may know$known" ;;
        esac
    done <<EOF
$includes
EOF
}

allowed base
allowed graph base
allowed ops base
allowed io base
allowed model base graph ops
allowed data base graph ops io
allowed serve base graph ops io data
allowed eval base graph ops data serve
allowed train base graph ops data serve eval model
allowed api base graph ops io data serve eval train model
for folder in lib/*/; do
    grep -q "^allowed $(basename "$folder")\( \|$\)" tests/architecture.sh || complain "$folder: no line in tests/architecture.sh"
done

! grep -rnE --include='*.c' '(^|[^_a-z])(printf|puts|abort|exit|assert|setlocale|signal)\(' lib || complain "not for a guest"
exit "$broken"
