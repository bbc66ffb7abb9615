#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# baseline.sh ROOT LIBRARY SCRATCH
# The library, built with debug information, has the ABI of cfdtbd.abi beside this script.
set -eu
here=$1/tests/abi library=$2 now=$3/now.abi
# shellcheck source=tests/abi/abi.sh
. "$here/abi.sh"
have_abigail || exit 77
[ "$(uname -m)" = x86_64 ] || { echo "the baseline is of x86_64: not tested" >&2 && exit 77; }

describe "$library" "$1/include" "$now"
functions=$(grep -c '<function-decl .*elf-symbol-id' "$now")
symbols=$(grep -c '^cfd_' "$here/symbols.txt")
if [ "$functions" -ne "$symbols" ]; then
    echo "$functions functions have debug information, of $symbols: exported from another file than those of cfdtbd_abi?" >&2
    exit 1
fi
class=$(classify "$here/cfdtbd.abi" "$now" "$3/changes.txt")
case $class in
same) exit 0 ;;
compatible) echo "The ABI has grown, as docs/abi-policy.md allows. If that is meant: sh tests/abi/renew.sh BUILD" >&2 ;;
*) echo "The ABI is broken: programs that were linked with the library before may fail. See docs/abi-policy.md." >&2 ;;
esac
cat "$3/changes.txt" >&2
exit 1
