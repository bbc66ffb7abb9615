# SPDX-License-Identifier: Apache-2.0
# dlopen/: twenty rounds of open and close, then two libraries at once. Called as `sh dlopen.sh CONSUMERS TREE`.
. "$1/helpers"
PKG_CONFIG_PATH=$(folder_of "$tree/prefix" cfdtbd.pc)
export PKG_CONFIG_PATH
quietly make -C "$consumers/dlopen" OUT="$work"
uses_library "$work/dlopen-recommend" ""
library=$(folder_of "$tree/prefix" libcfdtbd.so.1)/libcfdtbd.so.1
recommends "$work/dlopen-recommend" 20 "$library"
cp "$library" "$work/copy.so"
recommends "$work/dlopen-recommend" 1 "$library" "$work/copy.so"
recommends "$work/dlopen-recommend" 1 "$library" "$work/plugin.so"
