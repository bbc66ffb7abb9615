#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs a compilation (the arguments) and keeps what ptxas -v says in it in OBJECT.resources; what else it says is passed on.
object=
previous=
for word in "$@"; do
    if [ "$previous" = -o ]; then
        object=$word
    fi
    previous=$word
done
"$@" 2>"$object.output"
status=$?
grep '^ptxas info\|bytes stack frame' "$object.output" >"$object.resources"
grep -v '^ptxas info\|bytes stack frame' "$object.output" >&2
rm -f "$object.output"
exit "$status"
