#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs a compilation and keeps what ptxas -v says of it in OBJECT.resources; everything else it says is passed on.
object=
previous=
for word in "$@"; do
    [ "$previous" = -o ] && object=$word
    previous=$word
done
"$@" 2>"$object.output"
status=$?
grep '^ptxas info' "$object.output" >"$object.resources"
grep -v '^ptxas info\|bytes stack frame' "$object.output" >&2
grep 'bytes stack frame' "$object.output" >/dev/null && cp "$object.output" "$object.resources"
rm -f "$object.output"
exit "$status"
