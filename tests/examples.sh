# SPDX-License-Identifier: Apache-2.0
# The short examples: exit code 0, nothing on stderr, and lists of the right shape and kind. Called as
# `sh examples.sh MINIMAL EMBEDDING CPP`; CPP is empty where there is no C++ compiler.
set -eu
LC_ALL=C
export LC_ALL
work=$(mktemp -d "${TMPDIR:-/tmp}/cfdtbd-examples.XXXXXX")
trap 'rm -rf "$work"' EXIT

# run PROGRAM: its output in $work/out.
run()
{
    "$1" >"$work/out" 2>"$work/err" || { echo "$1: exit code $?: $(cat "$work/err")" >&2; exit 1; }
    [ ! -s "$work/err" ] || { echo "$1: on stderr: $(cat "$work/err")" >&2; exit 1; }
}

# lines N PATTERN: so many lines match, and with those of the calls before, all that there are.
lines()
{
    n=$(grep -cE "^$2\$" "$work/out" || true)
    expected=$((expected + $1))
    [ "$n" -eq "$1" ] || { echo "$1 lines that match $2 wanted, not $n:" >&2; cat "$work/out" >&2; exit 1; }
}

number='-?[0-9]+\.[0-9]{3}'

# User 0 has the items 0 to 8 of the even ones: what is left of them is the list.
expected=0
run "$1"
for item in 10 12 14 16 18; do
    lines 1 "item $item: $number"
done
[ "$(wc -l <"$work/out")" -eq "$expected" ] || { cat "$work/out" >&2; exit 1; }
cp "$work/out" "$work/minimal"

# Customer 0 has bought the products 0 to 12 of the kind of multiples of 3; the new product is like those.
expected=0
run "$2"
lines 4 "customer 0: product (15|18|21|24|27), $number"
lines 4 "like product 30: product (0|3|6|9|12|15|18|21|24|27), $number"
[ "$(wc -l <"$work/out")" -eq "$expected" ] || { cat "$work/out" >&2; exit 1; }

# The same in C++ is the same.
if [ -n "$3" ]; then
    run "$3"
    cmp "$work/out" "$work/minimal"
fi
