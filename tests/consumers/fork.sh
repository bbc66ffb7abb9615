# SPDX-License-Identifier: Apache-2.0
# fork/. Called as `sh fork.sh CONSUMERS TREE`.
. "$1/helpers"
PKG_CONFIG_PATH=$(folder_of "$tree/prefix" cfdtbd.pc)
LD_LIBRARY_PATH=$(folder_of "$tree/prefix" libcfdtbd.so.1)
export PKG_CONFIG_PATH LD_LIBRARY_PATH
quietly make -C "$consumers/fork" OUT="$work"
uses_library "$work/fork-recommend" "$tree/prefix"
recommends "$work/fork-recommend"
