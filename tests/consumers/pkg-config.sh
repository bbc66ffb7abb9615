# SPDX-License-Identifier: Apache-2.0
# pkg-config/, in C and in C++, shared and static, from PLACE. Called as
# `sh pkg-config.sh CONSUMERS TREE PLACE CC CXX [DEBS]`.
# shellcheck source=tests/consumers/helpers
. "$1/helpers"
for compiler in "$4" "$5"; do
    command -v "$compiler" >/dev/null || skip "no $compiler"
done
go_to "$3" "${6-}"

mkdir "$work/programs"
quietly make -C "$consumers/pkg-config" OUT="$work/programs" CC="$4" CXX="$5"
for program in c cpp; do
    uses_library "$work/programs/$program" "$prefix"
    recommends "$work/programs/$program" 2
    uses_library "$work/programs/$program-static" ""
    recommends "$work/programs/$program-static" 3
done
