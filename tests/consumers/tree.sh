# SPDX-License-Identifier: Apache-2.0
# What the other drivers start from: TREE/prefix, the library installed there from the build tree BUILD, and TREE/expected,
# what a program that was linked to it without any tool's help recommends with one thread. Called as
# `sh tree.sh CONSUMERS TREE BUILD`.
# shellcheck source=tests/consumers/helpers
. "$1/helpers"

rm -rf "$tree"
mkdir -p "$tree"
quietly cmake --install "$3" --prefix "$tree/prefix"
include=$(folder_of "$tree/prefix" cfdtbd.h)
library=$(folder_of "$tree/prefix" libcfdtbd.so)
quietly cc -std=c89 -I"$consumers/shop" -I"$include" -o "$work/recommend" "$consumers/shop/recommend.c" \
    -L"$library" -lcfdtbd -Wl,-rpath,"$library"
uses_library "$work/recommend" "$tree/prefix"
"$work/recommend" 1 >"$work/expected"
[ "$(grep -c '^product ' "$work/expected")" -eq 10 ] || broken "a list of ten products wanted"
mv "$work/expected" "$tree/expected"
