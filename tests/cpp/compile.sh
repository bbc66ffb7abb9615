#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# cfdtbd.hpp alone compiles without a warning by g++ and clang++ (those that are there), in C++17, 20 and 23, with failures
# as exceptions, as values, and without exceptions and type information. A program that is made with it has no variables of it.
# compile.sh INCLUDE SOURCE_FOLDER PROGRAM
set -eu
include=$1
sources=$2
program=$3
warnings="-Werror -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Wnon-virtual-dtor"
all_of_clang="-Weverything -Wno-c++98-compat -Wno-c++98-compat-pedantic -Wno-padded -Wno-weak-vtables -Wno-documentation"

fail()
{
    echo "$*" >&2
    exit 1
}

# try COMPILER OPTION...
try()
{
    # shellcheck disable=SC2086
    "$@" $warnings -I "$include" -fsyntax-only "$sources/alone.cpp" || fail "$@"
}

tried=0
for compiler in g++ "clang++ $all_of_clang"; do
    command -v "${compiler%% *}" >/dev/null || continue
    for standard in 17 2b; do
        # shellcheck disable=SC2086
        for way in -fexceptions -DCFDTBD_EXPECTED "-fno-exceptions -fno-rtti"; do
            try $compiler -std=c++$standard $way
        done
    done
    # shellcheck disable=SC2086
    try $compiler -std=c++20
    if echo '#include "cfdtbd_serving.hpp"' | "${compiler%% *}" -I "$include" -fsyntax-only -x c++ - 2>/dev/null; then
        fail "cfdtbd_serving.hpp is taken without cfdtbd.hpp"
    fi
    tried=$((tried + 1))
done
[ "$tried" -gt 0 ] || exit 77
if nm -C "$program" | grep ' [BbDdCcGgSsuV] .*cfdtbd::' | grep -vE '::none$|typeinfo (for|name for)|vtable for'; then
    fail "cfdtbd.hpp has variables"
fi
