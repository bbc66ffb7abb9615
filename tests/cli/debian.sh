# SPDX-License-Identifier: Apache-2.0
# debian-packages, on a small text in the format of `apt-cache dumpavail`. It is built beside cfdtbd.
speaker=debian-packages
. "$2/cli/making"
packages=$(dirname "$program")/debian-packages
text=$tests/fixtures/debian/dumpavail.txt

make_set()
{
    exec "$packages" "$@"
}

"$packages" "$text" --core 3 --min-items 2 --out set >stdout 2>stderr || complain "it fails: $(cat stderr)"

# 3-core, by hand. probe asks for two packages only, so it goes; then libodd9 is asked for by tuner and courier only
# (an older sketch does not count), so it goes; then courier has two, so it goes. Ids follow the first appearance of a
# name in the text: studio is named by reader, before the stanza of sketch.
holds set/users.names.txt <<END
album
chatter
mixer
poster
radio
studio
sketch
tuner
END
holds set/items.names.txt <<END
libpaint1
libcore0
fonts-plain
libwire3
libtone2
paint-data
END
# Versions, architectures and repeated names do not count; of alternatives each one does; chatter does not ask for
# itself; mail-transport-agent and fonts-fancy are no packages.
awk '{ for (i = 2; i <= NF; i++) print $1, $i }' set/train.txt set/validation.txt set/test.txt | sort -n -k1,1 -k2,2 |
    awk '$1 != user || NR == 1 { printf "%s%s", (NR > 1) ? "\n" : "", $1; user = $1 }
        { printf " %s", $2 } END { print "" }' >all
holds all <<END
0 0 1 2
1 1 3 4
2 1 3 4
3 0 1 2 5
4 1 3 4
5 0 1 2 3 4 5
6 0 1 2 5
7 1 3 4
END
for held_out in validation test; do
    awk 'NF != 2 { print "more than one item" } { print $1 }' "set/$held_out.txt" >users
    holds users <<END
0
1
2
3
4
5
6
7
END
done

# Words of the first line of the description only, each once, lower case, without stop words; those of at least two
# items: shapes and text (libpaint1, fonts-plain), c++ (libpaint1, libwire3), shared and library (three each).
holds set/words.vocabulary.txt <<END
shapes
text
c++
shared
library
END
holds set/words.tags.txt <<END
0 0 1 2
1 3 4
2 0 1
3 2 3 4
4 3 4
END
# Tags that go on over several lines; those of at least two items. libwire3 has none.
holds set/debtags.vocabulary.txt <<END
role::shared-lib
works-with::image
role::app-data
END
holds set/debtags.tags.txt <<END
0 0 1
1 0
2 2
4 0 1
5 1 2
END
holds stdout <<END
set: of 31 packages, 8 users, 6 items, 29 interactions: 13 train, 8 validation, 8 test
words: 5, on 5 items; debtags: 3, on 5 items
END

# The same from standard input, and with the seed that is the default; another split with another seed.
"$packages" --core 3 --min-items 2 --out piped --seed 2024 <"$text" >stdout 2>stderr || complain "stdin: $(cat stderr)"
diff -r set piped || complain "from standard input: another data set"
different=no
for seed in 1 2 3 4 5; do
    "$packages" "$text" --core 3 --min-items 2 --out piped --seed "$seed" --force >stdout 2>stderr ||
        complain "--force: $(cat stderr)"
    cmp -s set/test.txt piped/test.txt || different=yes
    cmp -s set/words.tags.txt piped/words.tags.txt || complain "the seed changes more than the split"
done
[ "$different" = yes ] || complain "five seeds, one split"

# Without a core all is kept, and users with fewer than three packages only train.
"$packages" "$text" --core 1 --out whole >stdout 2>stderr || complain "--core 1: $(cat stderr)"
user=$(grep -nx probe whole/users.names.txt | cut -d: -f1)
user=$((user - 1))
if ! grep -q "^$user [0-9]* [0-9]*\$" whole/train.txt || grep -q "^$user " whole/test.txt whole/validation.txt; then
    complain "a user with two packages is not wholly in train"
fi

# What the program reads is a data set for cfdtbd.
"$program" info set >stdout 2>stderr || complain "cfdtbd info: $(cat stderr)"

# ---- bad input and usage ----
printf 'Package: a\nDepends: b\n\nVersion: 1\nDepends: a\n' >nameless
refused 1 'nameless:4: a stanza without a Package name' nameless --out refused
printf 'Package: a b\n' >spaced
refused 1 'spaced:1: a stanza without a Package name' spaced --out refused
printf 'Package: a\njust words\n' >words
refused 1 'words:2: neither a field nor a continuation line' words --out refused
printf '\n Depends: a\n' >dangling
refused 1 'dangling:2: a stanza begins with a continuation line' dangling --out refused
: >nothing
refused 1 'nothing: no packages (run apt-get update first)' nothing --out refused
refused 1 'absent: No such file or directory' absent --out refused
refused 1 'nothing is left of 31 packages (--core 9)' "$text" --core 9 --out refused
refused 1 'set: directory is not empty (--force replaces an earlier result)' "$text" --out set
refused 2 '--out DIR is missing (see debian-packages --help)' "$text"
refused 2 '--core: K is missing' "$text" --out refused --core
refused 2 '--core "many": an integer from 0 to 1000000 wanted' "$text" --out refused --core many
refused 2 '--seed "18446744073709551616": an integer from 0 to 18446744073709551615 wanted' "$text" --out refused --seed 18446744073709551616
refused 2 'there is no option --cores; the nearest is --core' "$text" --out refused --cores 3
refused 2 'there is no option --xyzzyplugh (see debian-packages --help)' "$text" --out refused --xyzzyplugh
refused 2 '--out is given twice' "$text" --out refused --out=other
refused 2 '--force is given twice' "$text" --out refused --force --force
refused 2 '--out is empty, DIR wanted' "$text" --out=
refused 2 'one argument too many: "more"' "$text" more --out refused
"$packages" --help >stdout 2>stderr || complain "--help fails"
grep -q -- '--min-items' stdout || complain "--help does not name --min-items"

grep -q '^usage: debian-packages \[FILE\] \[OPTION\]' stdout || complain "--help does not say how it is called"

# A value may follow the option's name after "=".
"$packages" --out=equal --core=3 --min-items=2 -- "$text" >stdout 2>stderr || complain "--out=equal: $(cat stderr)"
diff -r set equal || complain "--name=VALUE: another data set"

stopped_while_reading

all_checked
