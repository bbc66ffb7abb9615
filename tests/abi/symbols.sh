#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# symbols.sh ROOT LIBRARY ARCHIVE [PLUGIN...]
# These agree: what the header declares, what lib/cfdtbd.map and symbols.txt beside this script name, what the library and
# its archive export. A plugin exports its entry and nothing else.
set -eu
root=$1 library=$2 archive=$3
shift 3
here=$root/tests/abi
# shellcheck source=tests/abi/declared.sh
. "$here/declared.sh"
command -v nm >/dev/null || { echo "no nm: not tested" >&2 && exit 77; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
broken=0

# same WHAT FILE: FILE, sorted, is the list of names.
same()
{
    LC_ALL=C sort -o "$2" "$2"
    if ! diff -u "$work/names" "$2" >"$work/diff"; then
        echo "$1 and tests/abi/symbols.txt differ (- only in symbols.txt):" >&2
        sed -n '/^[-+][^-+]/p' "$work/diff" >&2
        broken=1
    fi
}

grep -v '^#' "$here/symbols.txt" >"$work/symbols"
[ "$(wc -l <"$work/symbols")" -gt 0 ]
sed 's/@.*//' "$work/symbols" | LC_ALL=C sort >"$work/names"

declared "$root/include" >"$work/header"
same "the header" "$work/header"

sed -n 's/^ *\(cfd_[a-z0-9_]*\);$/\1/p' "$root/lib/cfdtbd.map" >"$work/map"
same "lib/cfdtbd.map" "$work/map"

# The version nodes themselves are absolute symbols.
nm -D --defined-only --with-symbol-versions "$library" |
    awk '$2 != "A" {sub("@@", "@", $3); print $3}' | LC_ALL=C sort >"$work/dynamic"
LC_ALL=C sort -o "$work/symbols" "$work/symbols"
if ! diff -u "$work/symbols" "$work/dynamic" >"$work/diff"; then
    echo "$library and tests/abi/symbols.txt differ (- only in symbols.txt):" >&2
    sed -n '/^[-+][^-+]/p' "$work/diff" >&2
    broken=1
fi

nm -g --defined-only "$archive" | awk 'NF == 3 {print $3}' >"$work/archive"
same "$archive" "$work/archive"

for plugin in "$@"; do
    exported=$(nm -D --defined-only "$plugin" | awk '{print $3}')
    if [ "$exported" != cfdtbd_cuda_open ]; then
        echo "$plugin exports other things than cfdtbd_cuda_open:" >&2
        echo "$exported" >&2
        broken=1
    fi
done
exit "$broken"
