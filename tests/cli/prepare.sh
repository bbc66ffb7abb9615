# SPDX-License-Identifier: Apache-2.0
# cfdtbd prepare, through its exit codes, output and files.
speaker=cfdtbd
. "$2/cli/making"

make_set()
{
    exec "$program" prepare "$@"
}

# makes OUT ARGUMENTS...: prepare succeeds, silent on stderr.
makes()
{
    out=$1
    shift
    "$program" prepare "$@" --out "$out" >stdout 2>stderr || complain "prepare $* --out $out: $(cat stderr)"
    [ ! -s stderr ] || complain "prepare $*: it says $(cat stderr)"
}

# ---- leave-one-out by time; a header whose columns stand in another order; string ids; CRLF; a byte order mark ----
# ann: a(1) b(2) c(3) d(4): d is test, c validation. bob has two interactions: all train. cy: b(5) a(7) d(9).
printf '\357\273\277timestamp,ITEM_ID,user_id\r\n' >shop.csv
printf '%s\r\n' 2,b,ann 1,a,ann 4,d,ann 3,c,ann 8,a,bob 6,b,bob 9,d,cy 5,b,cy 7,a,cy >>shop.csv
makes shop shop.csv
holds shop/users.names.txt <<END
ann
bob
cy
END
holds shop/items.names.txt <<END
b
a
d
c
END
holds shop/train.txt <<END
0 0 1
1 0 1
2 0
END
holds shop/validation.txt <<END
0 3
2 1
END
holds shop/test.txt <<END
0 2
2 2
END
holds stdout <<END
shop.csv: 9 rows and a header, with times
header: line 1, "timestamp,ITEM_ID,user_id"
shop: 3 users, 4 items, 9 interactions: 5 train, 2 validation, 2 test
END
[ "$(find shop -type f | wc -l)" -eq 5 ] || complain "shop holds other files than five"

# The same table without its header, by position, by number, and from standard input.
printf '%s\n' 'ann b 2' 'ann a 1' 'ann d 4' 'ann c 3' 'bob a 8' 'bob b 6' 'cy d 9' 'cy b 5' 'cy a 7' >shop.txt
makes same shop.txt
diff -r shop same || complain "by position: another data set"
sed 's/^\([a-z]*\) \([a-z]\) \([0-9]\)/\3::\2::\1/' shop.txt >shop.colons
makes colons shop.colons --user 3 --item 2 --time 1
diff -r shop colons || complain "by number, delimiter '::': another data set"
"$program" prepare - --out piped <shop.txt >stdout 2>stderr || complain "from standard input: $(cat stderr)"
diff -r shop piped || complain "from standard input: another data set"

# ---- headers ----
# Known names count whatever their case and type suffix; the rating column does not become the time.
printf 'user_id:token\titem_id:token\trating:float\nu\ti\t3\nu\tj\t5\n' >atomic.inter
makes atomic atomic.inter
grep -q '2 rows and a header, without times' stdout || complain "RecBole's header: $(cat stdout)"
# A time that is no number, in the first line, makes a header; in the second line it is a mistake.
printf 'buyer,thing,when\nu,i,3\nu,j,5\n' >titles.csv
makes titles titles.csv
holds stdout <<END
titles.csv: 2 rows and a header, with times
header: line 1, "buyer,thing,when", since "when" is no number (--header no refuses it)
titles: 1 users, 2 items, 2 interactions: 2 train, 0 validation, 0 test
END
# What was taken for a header is shown, even if it was a row that is broken, and a long or hostile one too.
printf '\n\nu,i,soon\nu,j,5\n' >soon.csv
makes soon soon.csv
grep -q '^header: line 3, "u,i,soon", since "soon" is no number' stdout || complain "a first row without a time: $(cat stdout)"
refused 1 'soon.csv:3: time "soon" is not a number (--time none leaves it out)' soon.csv --out n --header no
long=$(printf '%0200d' 0)
printf 'user,item,\033[2J\t\302\233,%s\302\233\nu,i,1,2\n' "$long" >hostile.csv
makes hostile hostile.csv --delimiter , --time none --rating none
grep -q '^header: line 1, "user,item,\\x1b\[2J\\t\\xc2\\x9b,00*"$' stdout || complain "a hostile header: $(cat stdout)"
[ "$(LC_ALL=C tr -d '\n' <stdout | LC_ALL=C tr -d ' -~' | wc -c)" -eq 0 ] || complain "a hostile header is shown as it is"
# Two columns of unknown names are data, unless the caller says otherwise or names one of them.
printf 'buyer,thing\nu,i\nu,j\n' >two.csv
makes two two.csv
grep -q '3 rows, without times' stdout || complain "two unknown titles: $(cat stdout)"
makes two-yes two.csv --header yes
grep -q '2 rows and a header' stdout || complain "--header yes: $(cat stdout)"
makes two-named two.csv --user thing --item buyer
holds two-named/users.names.txt <<END
i
j
END
# One known word is no header: an item may be called "score".
printf 'u,score\nu,i\n' >word.csv
makes word word.csv
holds word/items.names.txt <<END
score
i
END
printf 'user,item\nu,i\n' >literal.csv
makes literal literal.csv --header no
holds literal/users.names.txt <<END
user
u
END
# A last line without its line end counts; empty lines do not.
printf 'u,i\n\n\nu,j' >last.csv
makes last last.csv
holds last/train.txt <<END
0 0 1
END

# ---- quotes ----
printf '"user","item, with comma",time\n"Ann ""the"" first","x,y",1\nplain "q",z,2\n"",z,3\n' >quotes.csv
refused 1 'quotes.csv:4: the user is empty' quotes.csv --out quotes --user 1 --item 2
sed '$d' quotes.csv >quoted.csv
makes quoted quoted.csv --item 'item, with comma'
holds quoted/users.names.txt <<END
Ann "the" first
plain "q"
END
holds quoted/items.names.txt <<END
x,y
z
END
# In tab-separated text a quote is a quote.
printf '"a\tb\n"a\tc"\n' >quotes.tsv
makes tsv quotes.tsv
holds tsv/users.names.txt <<END
"a
END
# A quoted line end is part of the record, not of an id; the next record's line number is right all the same.
printf 'u,i,"two\nlines",1\nu,j,x,oops\n' >lines.csv
refused 1 'lines.csv:3: time "oops" is not a number (--time none leaves it out)' lines.csv --out n --time 4 --rating none
printf 'u,"i\nj"\n' >newline.csv
refused 1 'newline.csv:1: the item has a line end in its name' newline.csv --out n
printf 'u,i\nu,"j\nu,k\n' >open.csv
refused 1 'open.csv:2: a quoted field is not closed' open.csv --out n
printf 'u,"i"x\n' >after.csv
refused 1 'after.csv:1: text after the closing quote of field 2' after.csv --out n

# ---- repeated pairs: the earliest counts ----
# a is first at 1 and again at 9, so c (3) is the latest and b (2) the one before.
printf 'u,a,1\nu,b,2\nu,c,3\nu,a,9\n' >repeated.csv
makes repeated repeated.csv
holds stdout <<END
repeated.csv: 4 rows, with times
1 repeated interactions were dropped
repeated: 1 users, 3 items, 3 interactions: 1 train, 1 validation, 1 test
END
holds repeated/train.txt <<END
0 0
END
holds repeated/validation.txt <<END
0 1
END
holds repeated/test.txt <<END
0 2
END

# ---- k-core ----
# Core 2: w has one interaction, so it goes; d then has only v's, so it goes; v then has one (a), so v goes; a keeps
# t and u. c is repeated by t, which counts once, so c goes. What stays: t and u with a and b.
printf '%s\n' w,d v,d v,a t,a t,b u,a u,b t,c t,c >core.csv
makes core core.csv --core 2
holds core/users.names.txt <<END
t
u
END
holds core/items.names.txt <<END
a
b
END
holds core/train.txt <<END
0 0 1
1 0 1
END
refused 1 'core.csv: nothing is left of 9 rows (--core 3)' core.csv --out n --core 3

# ---- ratings ----
printf 'user,item,rating,timestamp\nu,a,5,1\nu,b,2,2\nu,c,3.5,3\nv,b,1,4\n' >rated.csv
makes rated rated.csv --min-rating 3.5
holds rated/items.names.txt <<END
a
c
END
grep -q '2 rows were rated too low' stdout || complain "--min-rating: $(cat stdout)"
refused 1 'shop.csv: --min-rating, but there is no rating column (--rating says which)' shop.csv --out n --min-rating 1
refused 1 'rated.csv: nothing is left of 4 rows (--core 1, --min-rating)' rated.csv --out n --min-rating 6

# ---- ratio ----
# u has ten interactions, in order of time: shares of .6, .2, .2 are 6, 2, 2. v has four: .2 of 4 rounds down to none.
: >ratio.csv
for n in 0 1 2 3 4 5 6 7 8 9; do echo "u,i$n,$n" >>ratio.csv; done
for n in 0 1 2 3; do echo "v,i$n,$n" >>ratio.csv; done
makes ratio ratio.csv --split ratio --ratio 0.6,0.2,0.2
holds ratio/train.txt <<END
0 0 1 2 3 4 5
1 0 1 2 3
END
holds ratio/validation.txt <<END
0 6 7
END
holds ratio/test.txt <<END
0 8 9
END
# Without a validation share there is no such file.
makes halves ratio.csv --split ratio --ratio 0.5,0,0.5
[ ! -e halves/validation.txt ] || complain "a validation share of 0 makes a file"
holds halves/test.txt <<END
0 5 6 7 8 9
1 2 3
END

# ---- without times the seed decides ----
cut -d, -f1,2 ratio.csv >timeless.csv
makes one timeless.csv --seed 1
makes one-again timeless.csv --seed 1
diff -r one one-again || complain "the same seed: another split"
different=no
for seed in 2 3 4 5; do
    makes "seed$seed" timeless.csv --seed "$seed"
    cmp -s one/train.txt "seed$seed/train.txt" || different=yes
done
[ "$different" = yes ] || complain "five seeds, one split"
makes ignored ratio.csv --time none --seed 1
diff -r one ignored || complain "--time none: the times count"
# Each user's row order does not matter: the split is by seed, user and item.
[ "$(cat one/train.txt one/validation.txt one/test.txt | tr ' ' '\n' | wc -l)" -eq 20 ] ||
    complain "14 interactions and 6 line heads are not there"

# ---- the directory ----
refused 1 'shop: directory is not empty (--force replaces an earlier result)' core.csv --out shop
makes fresh core.csv
makes shop core.csv --force
diff -r fresh shop || complain "--force: not what a fresh directory holds"
echo mine >shop/image.npy
refused 1 'shop: not replaced: image.npy in it is no file that this command writes' core.csv --out shop --force
mkdir empty
makes empty/ core.csv
[ -s empty/train.txt ] || complain "an empty directory is not taken"
refused 1 'two.csv: Not a directory' core.csv --out two.csv
refused 1 'no/such: cannot write a directory beside it: No such file or directory' core.csv --out no/such
if [ "$(id -u)" -ne 0 ]; then
    mkdir closed
    chmod a-w closed
    refused 1 'closed/in: cannot write a directory beside it: Permission denied' core.csv --out closed/in
    chmod u+w closed
fi

# ---- signals: the directory is there whole or not at all, and nothing beside it ----
stopped_while_reading
awk 'BEGIN { for (i = 0; i < 300000; i++) print "user-" i % 60000, "item-" i % 20011 }' >large.txt
before=$(everything)
caught=
for _ in $(seq 20); do # the program may be done before the signal comes: then once more
    (make_set large.txt --out stopped) >stdout 2>stderr &
    running=$!
    seen=
    for _ in $(seq 1000000); do # without a process of its own, lest it be late
        for building in stopped*; do
            [ ! -e "$building" ] || seen=$building
        done
        [ -z "$seen" ] || break
    done
    kill -TERM "$running" 2>/dev/null
    wait "$running" 2>/dev/null
    got=$?
    if [ -e stopped ]; then
        [ "$(find stopped -type f | wc -l)" -eq 5 ] || complain "SIGTERM while writing: half a data set"
        rm -rf stopped
    fi
    [ "$(everything)" = "$before" ] || complain "SIGTERM while writing: left behind: $(ls -d stopped*)"
    if [ "$got" -gt 128 ]; then
        caught=yes
        break
    fi
done
[ -n "$caught" ] || complain "SIGTERM while writing: exit code $got twenty times, expected the end by the signal"

# ---- bad input ----
refused 1 'absent.csv: No such file or directory' absent.csv --out n
refused 1 'empty: Is a directory' empty --out n
: >nothing.csv
refused 1 'nothing.csv: empty' nothing.csv --out n
printf 'user,item\n' >title.csv
refused 1 'title.csv: a header, but no rows' title.csv --out n
printf 'u,i,1\nu,j\n' >short.csv
refused 1 'short.csv:2: 2 fields where the first line has 3' short.csv --out n
printf 'u,i,1\nu,j,2,3\n' >long.csv
refused 1 'long.csv:2: 4 fields where the first line has 3' long.csv --out n
printf 'u,i,1\nu,j,soon\n' >when.csv
refused 1 'when.csv:2: time "soon" is not a number (--time none leaves it out)' when.csv --out n
printf 'u,i,1,4\nu,j,2,nan\n' >stars.csv
refused 1 'stars.csv:2: rating "nan" is not a number (--rating none leaves it out)' stars.csv --out n
printf 'u,i,1e999\n' >huge.csv
refused 1 'huge.csv:1: time "1e999" is not a number (--time none leaves it out)' huge.csv --out n --header no
printf 'u\ni\n' >single.csv
refused 1 'single.csv:1: no column is left for the item (--item says which)' single.csv --out n
printf 'u,i\nu,\000\n' >nul.csv
refused 1 'nul.csv:2: NUL byte: this is not a text file' nul.csv --out n
refused 1 'rated.csv:1: --item thing: the header has no such column' rated.csv --out n --item thing
refused 1 'rated.csv:1: --item 5: there are 4 columns only' rated.csv --out n --item 5
refused 1 'rated.csv:1: --item 1: that column is given twice' rated.csv --out n --item 1 --user user
refused 1 'core.csv:1: no column is left for the item (--item says which)' core.csv --out n --user 2
printf 'user,rating\nu,3\n' >half.csv
refused 1 'half.csv:1: no column is left for the item (--item says which)' half.csv --out n

# ---- usage ----
refused 2 'prepare: FILE is missing (see cfdtbd prepare --help)' --out n
refused 2 'prepare: --out DIR is missing (see cfdtbd prepare --help)' core.csv
refused 2 'prepare: --core "0": an integer from 1 to 1000000 wanted' core.csv --out n --core 0
refused 2 'prepare: --split "half": one of leave-one-out|ratio wanted' core.csv --out n --split half
refused 2 'prepare: --ratio is for --split ratio' core.csv --out n --ratio 0.8,0.1,0.1
refused 2 'prepare: --ratio "0.8,0.2": three shares wanted, such as 0.8,0.1,0.1' core.csv --out n --split ratio --ratio 0.8,0.2
refused 2 'prepare: --ratio "0.8,0.1,0.2": the shares must sum to 1, and that of train must not be 0' \
    core.csv --out n --split ratio --ratio 0.8,0.1,0.2
refused 2 'prepare: --ratio "1.5,-0.5,0": "-0.5" is not a share' core.csv --out n --split ratio --ratio 1.5,-0.5,0
refused 2 'prepare: --min-rating "good": a number wanted' core.csv --out n --min-rating good
refused 2 'prepare: --item none: there is no data set without items' core.csv --out n --item none
refused 2 'prepare: --user "name": without a header, the number of a column is wanted' core.csv --out n --header no --user name
refused 2 'prepare: --delimiter "comma!": auto, tab, comma, semicolon, space, pipe or up to 4 characters wanted' \
    core.csv --out n --delimiter 'comma!'
"$program" prepare --help >stdout 2>stderr || complain "prepare --help fails"
grep -q -- '--min-rating' stdout || complain "prepare --help does not name --min-rating"

all_checked
