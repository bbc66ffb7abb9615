#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every shell script, whatever its name, passes shellcheck (.shellcheckrc says what is allowed, and why). Called with the
# project's root.
set -eu
cd "$1"
command -v shellcheck >/dev/null || { echo "no shellcheck: scripts are not checked"; exit 77; }
# shellcheck source=tests/style/files.sh
. tests/style/files.sh

project_files_like '(^|/)[^./]*$|\.sh$|^\.ci/' >"$work/candidates"
while read -r file; do
    case $file in
    *.sh) echo "$file" ;;
    *) ! head -n 3 "$file" | grep -qE '^#! ?/bin/(ba|da)?sh|^# shellcheck shell=' || echo "$file" ;;
    esac
done <"$work/candidates" >"$work/scripts"
[ "$(wc -l <"$work/scripts")" -ge 30 ] || { echo "only $(wc -l <"$work/scripts") scripts found" >&2; exit 1; }
xargs -P 2 -n 8 shellcheck <"$work/scripts"
