# SPDX-License-Identifier: Apache-2.0
# openmp-openblas/, by gcc and its OpenMP, and where clang and its own are, by that. Called as
# `sh openmp-openblas.sh CONSUMERS TREE`.
# shellcheck source=tests/consumers/helpers
. "$1/helpers"
pkg-config --exists openblas || skip "no OpenBLAS"
go_to prefix

mkdir "$work/gcc" "$work/clang"
quietly make -C "$consumers/openmp-openblas" OUT="$work/gcc" CC=gcc
uses_library "$work/gcc/openmp-recommend" "$prefix"
recommends "$work/gcc/openmp-recommend"

echo 'int main(void) { return 0; }' >"$work/empty.c"
if clang -fopenmp -o "$work/empty" "$work/empty.c" 2>/dev/null; then
    quietly make -C "$consumers/openmp-openblas" OUT="$work/clang" CC=clang
    recommends "$work/clang/openmp-recommend"
else
    echo "$driver: no clang with OpenMP: not tried"
fi
