# SPDX-License-Identifier: Apache-2.0
# dlopen/: twenty rounds of open and close, then two libraries at once. Called as `sh dlopen.sh CONSUMERS TREE`.
# shellcheck source=tests/consumers/helpers
. "$1/helpers"
go_to prefix
quietly make -C "$consumers/dlopen" OUT="$work"
uses_library "$work/dlopen-recommend" ""
library=$LD_LIBRARY_PATH/libcfdtbd.so.1
recommends "$work/dlopen-recommend" 20 "$library"
cp "$library" "$work/copy.so"
recommends "$work/dlopen-recommend" 1 "$library" "$work/copy.so"
recommends "$work/dlopen-recommend" 1 "$library" "$work/plugin.so"
