#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# renew.sh BUILD
# Writes cfdtbd.abi and symbols.txt beside this script from the library as it is, after a change of the ABI that is meant.
# BUILD is a folder that was configured with tests, for x86_64. A change that is not compatible is refused unless SOVERSION,
# the major version, has gone up.
set -eu
[ $# -eq 1 ] || { echo "renew.sh BUILD" >&2 && exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=tests/abi/abi.sh
. "$here/abi.sh"
have_abigail
[ "$(uname -m)" = x86_64 ] || { echo "the baseline is of x86_64" >&2 && exit 1; }

cmake --build "$1" --target cfdtbd cfdtbd_abi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
describe "$1/tests/abi/libcfdtbd.so" "$root/include" "$work/now.abi"
if [ -e "$here/cfdtbd.abi" ]; then
    class=$(classify "$here/cfdtbd.abi" "$work/now.abi" "$work/changes")
    before=$(soname "$here/cfdtbd.abi")
    after=$(soname "$work/now.abi")
    cat "$work/changes"
    if [ "$class" = break ] && [ "${after##*.}" -le "${before##*.}" ]; then
        echo "Refused: this breaks the ABI of $before. Raise the major version (include/cfdtbd.h), or undo the change." >&2
        exit 1
    fi
    echo "$class: $before -> $after"
fi
{
    echo "# SPDX-License-Identifier: Apache-2.0"
    echo "# What libcfdtbd.so exports, with the version since which it is there. renew.sh writes this file."
    nm -D --defined-only --with-symbol-versions "$1/lib/libcfdtbd.so" |
        awk '$2 != "A" {sub("@@", "@", $3); print $3}' | LC_ALL=C sort
} >"$work/symbols"
cp "$work/now.abi" "$here/cfdtbd.abi"
cp "$work/symbols" "$here/symbols.txt"
