#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The arrows of docs/architecture.md, held against the includes: a folder of lib/ knows only those that its line here names.
# And the house rules that a glance can check. Called with the project's root.
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
    for file in $(find "lib/$folder" -name '*.[ch]'); do
        for header in $(sed -n 's|^#include "\([^"]*\)".*|\1|p' "$file"); do
            case $header in
            cfdtbd.h | cfdtbd_serving.h) continue ;;
            model/settings.h) [ "$folder" != data ] && [ "$folder" != serve ] || continue ;;
            esac
            case $known in
            *" ${header%%/*} "*) ;;
            *) complain "$file includes $header: lib/$folder may know$known" ;;
            esac
        done
    done
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

for file in $(find include lib examples tests -name '*.[ch]'); do
    lines=$(wc -l <"$file")
    [ "$lines" -le 800 ] || complain "$file: $lines lines, more than 800"
    head -n 1 "$file" | grep -q '^/\* SPDX-License-Identifier: Apache-2.0 \*/$' || complain "$file: no licence line"
done
for file in $(find lib -name '*.c'); do
    ! grep -nE '(^|[^_a-z])(printf|puts|abort|exit|assert|setlocale|signal)\(' "$file" || complain "$file: not for a guest"
done
exit "$broken"
