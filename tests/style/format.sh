#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Is every C, C++ and CUDA file as clang-format leaves it? Other major versions than the one that .clang-format was written for
# format otherwise, so the check is left out (77) with them. Called with the project's root.
set -eu
cd "$1"
# shellcheck source=tests/style/files.sh
. tests/style/files.sh

clang_tool format

project_files_like '\.(c|h|cpp|hpp|cu|cuh)$' >"$work/files"
[ "$(wc -l <"$work/files")" -ge 400 ] || { echo "only $(wc -l <"$work/files") files found" >&2; exit 1; }
xargs -P 2 -n 100 "$program" --dry-run -Werror --ferror-limit=1 <"$work/files" || {
    echo "not formatted: $program -i FILE mends it" >&2
    exit 1
}
