#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What each kernel takes of a multiprocessor, on every target, against the budgets in budgets.txt: registers a thread and
# bytes of static shared memory a block at most those, no stack frame, no spill. A kernel without a budget fails, and so does a
# budget without a kernel.
#
# resources.sh FOLDER [--table]   FOLDER: where the build keeps cuda/*.resources. --table prints what was found, in the form of
#                                 budgets.txt.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
logs=$(find "$1" -name '*.resources')
[ -n "$logs" ] || { echo "no *.resources under $1" >&2; exit 1; }

# One line for each kernel and target: name, target, registers, shared bytes, stack, spills.
# shellcheck disable=SC2086
found=$(cat $logs | awk '
    /Compiling entry function/ { split($0, quoted, "\047"); name = quoted[2]; target = quoted[4]; stack = spills = 0 }
    /bytes stack frame/ { stack = $1; spills = $5 + $9 }
    /: Used [0-9]+ registers/ {
        registers = shared = 0
        for (i = 1; i <= NF; i++) {
            if ($i == "registers,") registers = $(i - 1)
            if ($i == "bytes" && $(i + 1) ~ /^smem/) shared = $(i - 1)
        }
        print target, registers, shared, stack, spills, name
    }' | c++filt | sed -E 's/^(sm_[^ ]* [0-9]+ [0-9]+ [0-9]+ [0-9]+) (void )?([A-Za-z0-9_]*_kernel(<.*>)?)\(.*$/\3 \1/; s/, /,/g' | sort)

if [ "${2:-}" = --table ]; then
    echo "$found" | awk '{ if ($3 > r[$1]) r[$1] = $3; if ($4 > s[$1]) s[$1] = $4 }
                         END { for (k in r) printf "%-48s %3d %6d\n", k, r[k], s[k] }' | sort
    exit 0
fi
echo "$found" | awk -v budgets="$here/budgets.txt" '
    BEGIN {
        while ((getline line < budgets) > 0) {
            if (line !~ /^#/ && split(line, part) == 3) { registers[part[1]] = part[2]; shared[part[1]] = part[3] }
        }
    }
    {
        seen[$1] = 1; targets[$2] = 1; n++
        if (!($1 in registers)) { print $1 " has no budget"; bad = 1 }
        else if ($3 > registers[$1]) { print $1 " on " $2 ": " $3 " registers, budget " registers[$1]; bad = 1 }
        else if ($4 > shared[$1]) { print $1 " on " $2 ": " $4 " bytes shared, budget " shared[$1]; bad = 1 }
        if ($5 != 0 || $6 != 0) { print $1 " on " $2 ": " $5 " bytes of stack, " $6 " of spills"; bad = 1 }
    }
    END {
        for (k in registers) if (!(k in seen)) { print "budget of " k ", which is not there"; bad = 1 }
        for (t in targets) list = list " " t
        print n " kernels on" list " within their budgets: " (bad ? "no" : "yes")
        exit bad
    }'
