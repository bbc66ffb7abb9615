#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every function of the C headers is called by cfdtbd.hpp, or stands in left_to_c.txt, with the reason why it does not.
# Called with the folder of the headers.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$1"
broken=0

complain()
{
    echo "$*" >&2
    broken=1
}

functions=$(sed -n 's/^CFD_API .*[ *]\(cfd_[a-z_]*\)(.*/\1/p' cfdtbd.h cfdtbd_serving.h)
[ "$(echo "$functions" | wc -l)" -ge 70 ] || complain "only these functions found in the headers:" "$functions"
for function in $functions; do
    called=$(cat cfdtbd.hpp cfdtbd_serving.hpp | grep -v '^ *\(/\*\| \*\)' | grep -cw "$function" || true)
    named=$(grep -cw "^$function" "$here/left_to_c.txt" || true)
    [ "$called" -gt 0 ] || [ "$named" -gt 0 ] || complain "cfdtbd.hpp has no form of $function"
    [ "$called" -eq 0 ] || [ "$named" -eq 0 ] || complain "left_to_c.txt names $function, which cfdtbd.hpp has"
done
left=$(sed -n 's/^\(cfd_[a-z_]*\).*/\1/p' "$here/left_to_c.txt")
for function in $left; do
    echo "$functions" | grep -qx "$function" || complain "left_to_c.txt names $function, which is not in the headers"
done
exit "$broken"
