#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Has every kernel been run? Of the kernels in the object files of the simulated backend, those that no suite has run since
# the file was begun.
#
# coverage.sh begin FILE           begins it
# coverage.sh check FILE OBJECT... FILE: where the simulated device notes kernels (CUDASIM_COVERAGE)
set -eu
action=$1
file=$2
shift 2
if [ "$action" = begin ]; then
    : >"$file"
    exit 0
fi
names()
{
    sed -n 's/^\(void \)\{0,1\}\([A-Za-z0-9_]*_kernel\(<.*>\)\{0,1\}\)(.*/\2/p' | sort -u
}
there=$(nm -C "$@" | sed -n 's/^[0-9a-f]* [TW] //p' | names)
ran=$(names <"$file")
missing=$(printf '%s\n' "$there" | while read -r kernel; do
    printf '%s\n' "$ran" | grep -qxF "$kernel" || echo "$kernel"
done)
echo "$(printf '%s\n' "$there" | wc -l) kernels, of which no suite has run: ${missing:-none}"
[ -n "$there" ] && [ -z "$missing" ]
