# SPDX-License-Identifier: Apache-2.0
# Lists of one user: without what the user has, best first, with names where there are names.
. "$2/cli/helpers"
world data
works train data $small --epochs 2 --out model

works recommend model data --user 3 --k 7 --json
valid_json run/out
says run/out '^{"user": 3, "items": \[{"item": [0-9]*, "score": -\{0,1\}[0-9.e-]*}, .*\]}$'
tr '{' '\n' <run/out | sed -n 's/^"item": \([0-9]*\), "score": \([^}]*\)}.*/\1 \2/p' >list
same "$(wc -l <list | tr -d ' ')" 7 "items in the list"
awk 'NR > 1 && $2 + 0 > last { exit 1 } { last = $2 + 0 }' list || broken "scores in descending order wanted"
grep '^3 ' data/train.txt data/validation.txt | sed 's/^[^ ]* //' | tr ' ' '\n' | sort >seen
cut -d' ' -f1 list | sort >listed
[ -z "$(comm -12 seen listed)" ] || broken "no seen item wanted, but there are $(comm -12 seen listed)"

# The user has 9 of 40 items: 31 are left, however many are asked for.
works recommend model data --user 3 --k 2147483647 --json
same "$(grep -o '"item"' run/out | wc -l | tr -d ' ')" 31 "items that are left"

works recommend model data --user=3
same "$(wc -l <run/out | tr -d ' ')" 10 "lines of the list"
same "$(awk 'NR == 1 { print $3 }' run/out)" "$(sed -n '1s/ .*//p' list)" "the first item"

refused 1 'user "60"' recommend model data --user 60
refused 1 'user "-1"' recommend model data --user -1
refused 1 'user "3x"' recommend model data --user 3x
refused 1 'user "99999999999999999999"' recommend model data --user 99999999999999999999
refused 2 'user' recommend model data
refused 2 '\-\-k' recommend model data --user 3 --k 0

# Names: shown, searched first, and escaped whatever they hold.
names data
works recommend model data --user user-3 --json --k 2
says run/out '^{"user": "user-3", "items": \[{"item": "item-[0-9]*", '
works recommend model data --user 3 --json --k 2
says run/out '^{"user": "user-3", '
works recommend model data --user user-3 --k 2
same "$(awk 'NR == 1 { print $3 }' run/out)" "item-$(sed -n '1s/ .*//p' list)" "the first item by name"
refused 1 'user "user-60"' recommend model data --user user-60
awk 'NR == 8 { print "3"; next } { print }' data/users.names.txt >changed && mv changed data/users.names.txt
works recommend model data --user 3 --json --k 1
says run/out '^{"user": "3", '
works recommend model data --user 7 --json --k 1 # the bearer of the name "3" has the number 7
cp run/out by_number
works recommend model data --user 3 --json --k 1
cmp by_number run/out >/dev/null || broken "the exact name before the number wanted"
awk -v best="$(sed -n '1s/ .*//p' list)" 'NR == best + 1 { printf "say \"\\\" \303\251 \377 end\n"; next } { print }' \
    data/items.names.txt >changed && mv changed data/items.names.txt
works recommend model data --user user-3 --json --k 1
cat >wanted <<'ESCAPED'
"item": "say \"\\\" é \ufffd end"
ESCAPED
grep -q -F -f wanted run/out || broken "the name as $(cat wanted) wanted"
valid_json run/out

# For people, what would steer the terminal or is no text is shown as what it is; so is a path.
awk -v best="$(sed -n '1s/ .*//p' list)" 'NR == best + 1 { printf "\033[2J\t\302\233\303\251\\\377\n"; next } { print }' \
    data/items.names.txt >changed && mv changed data/items.names.txt
works recommend model data --user user-3 --k 1
cat >wanted <<'SHOWN'
  \x1b[2J\t\xc2\x9bé\\xff
SHOWN
grep -q -F -f wanted run/out || broken "the name as $(cat wanted) wanted"
works recommend model data --user user-3 --k 1 --json
valid_json run/out
path=$(printf 'da\033[2Jta')
mv data "$path"
works info "$path"
says run/out '^data set da\\x1b\[2Jta$'
cp model "$path/model"
works info "$path/model"
says run/out '^model da\\x1b\[2Jta/model$'
