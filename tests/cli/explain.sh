# SPDX-License-Identifier: Apache-2.0
# A score taken apart: its parts add up to it, the bars are there, the user's items are the user's.
. "$2/cli/helpers"
world data
works train data $small --epochs 2 --out model

works recommend model data --user 3 --k 1 --json
item=$(sed -n 's/.*"item": \([0-9]*\).*/\1/p' run/out)
score=$(sed -n 's/.*"score": \([-0-9.e]*\).*/\1/p' run/out)
works explain model data --user 3 --item "$item" --json --k 3
valid_json run/out
sed 's/.*"parts": {\([^}]*\)}.*/\1/' run/out | tr ',' '\n' | sed 's/.*": //' >parts
awk -v score="$score" '{ sum += $1 } END { d = sum - score; exit !(NR >= 3 && d < 1e-4 && d > -1e-4) }' parts ||
    broken "parts that add up to $score wanted: $(cat parts)"
grep '^3 ' data/train.txt | sed 's/^[^ ]* //' | tr ' ' '\n' | sort >seen
grep -o '"item": [0-9]*, "contribution"' run/out | sed 's/[^0-9]*\([0-9]*\).*/\1/' | sort >contributors
same "$(wc -l <contributors | tr -d ' ')" 3 "items that contribute"
[ -z "$(comm -13 seen contributors)" ] || broken "the user's own items wanted"

works explain model data --user 3 --item "$item"
says run/out '^base  *-\{0,1\}[0-9.]*  '
says run/out '^fused  *-\{0,1\}[0-9.]*  '
says run/out '[0-9]  ########################################$'
same "$(grep -c '^user 3, item ' run/out)" 1 "headings"

refused 1 'user "60"' explain model data --user 60 --item 0
refused 1 'item "40"' explain model data --user 3 --item 40
refused 2 'item' explain model data --user 3
refused 2 'user' explain model data --item 3

works train data $small --epochs 1 --set keep.nodes=no --out without
refused 1 'keep.nodes' explain without data --user 3 --item 1
works explain without data --user 3 --item 1 --k 0
