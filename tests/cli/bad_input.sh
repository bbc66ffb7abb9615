# SPDX-License-Identifier: Apache-2.0
# What bad input gets: one clear line, exit code 1, nothing half-written.
. "$2/cli/helpers"
world good
mkdir out

# bad NAME PATTERN: the data set bad, made by the caller, is refused and leaves nothing.
bad() {
    refused 1 "$1" train bad $small --epochs 1 --out out/model --report out/report.json
    only_files out
    rm -rf bad
}
like_good() {
    rm -rf bad
    cp -r good bad
}

bad 'bad'
mkdir bad
bad 'train.txt'
like_good && : >bad/train.txt
bad 'train.txt'
like_good && echo '0 1 -2' >>bad/train.txt
bad 'train.txt.*61'
like_good && echo '60 1 99999999999' >>bad/train.txt
bad 'train.txt.*61'
like_good && echo '60 1 apple' >>bad/train.txt
bad 'train.txt.*61.*apple'
like_good && echo '60 1 40' >>bad/train.txt
bad '40'
like_good && npy bad/shape.npy 39
bad 'shape'
like_good && head -c 200 good/shape.npy >bad/shape.npy
bad 'shape.npy'
like_good && echo 'not numpy' >bad/shape.npy
bad 'shape.npy'
like_good && printf '\000\000\300\177' | dd of=bad/shape.npy bs=1 seek=140 conv=notrunc 2>/dev/null # row 1, column 1
bad 'shape.*row 1.*column 1'
like_good && printf '\000\000\200\177' | dd of=bad/shape.npy bs=1 seek=128 conv=notrunc 2>/dev/null
bad 'shape.*row 0.*column 0'
like_good && sed "s/<f4/<i4/" good/shape.npy >bad/shape.npy
bad 'shape.npy.*i4'
like_good && echo '41 7' >>bad/words.tags.txt
bad 'words.tags.txt'

refused 1 'nothing' train nothing --epochs 1 --out out/model
refused 1 'data set has no modality' train good --epochs 1 --modality visual=photo --out out/model
refused 1 'cinematic' train good --epochs 1 --set lambda.cinematic=1 --out out/model
only_files out

# Legal, if unusual: said in a warning or not at all, but trained on.
like_good && echo '0 1 1 1' >>bad/train.txt && echo '60 39' >>bad/train.txt
works train bad $small --epochs 1 --report out/report.json
awk 'BEGIN { line = 59; for (i = 0; i < 40; i++) line = line " " i; print line }' >>bad/train.txt
works train bad $small --epochs 1 --report out/report.json
[ "$(in_section out/report.json data duplicates)" -gt 0 ] || broken "repeated interactions counted wanted"
# What repeats or leaks is said beside every metric, without being asked; and nothing where nothing does.
works train good $small --epochs 1
says run/out '^data: 60 users, 40 items, 480 training interactions$'
like_good && echo '60 39 38 39 39' >>bad/train.txt
works train bad $small --epochs 1 --out out/model
data='data: 61 users, 40 items, 482 training interactions, 2 repeated ones counted once'
says run/out "^$data\$"
works evaluate out/model bad
says run/out "^$data\$"
works evaluate out/model bad --json
says run/out '"duplicates": 2, "leaked_test": 0, '
echo '60 38' >>bad/test.txt
works evaluate out/model bad
says run/out "^$data, 1 test interactions of 1 users stand in train too\$"
works evaluate out/model bad --json
says run/out '"duplicates": 2, "leaked_test": 1, '
rm out/model
rm -rf bad && mkdir bad && echo '0 0' >bad/train.txt
run train bad $small --epochs 1 # one user who has the one item: there is no negative
[ "$code" -le 1 ] || broken "exit code 0 or 1 wanted"
like_good && sed -n '1p' good/train.txt | cut -d' ' -f1,2 >bad/test.txt
works train bad $small --epochs 1 --report out/report.json
same "$(in_section out/report.json data leaked_test)" 1 "test interactions that stand in train"
works info bad
says run/out '^  to note  *1 test interactions, of 1 users, stand in train too$'
silent run/out 'repeated'
rm out/report.json

# Models.
works train good $small --epochs 1 --out out/model
refused 1 'nothing' evaluate nothing good
refused 1 'nothing' evaluate out/model nothing
refused 1 'train.txt' evaluate good/train.txt good
like_good && echo '60 1 2 3' >>bad/train.txt
refused 1 'does not fit.*60 users and 40 items.*61 and 40' evaluate out/model bad
refused 1 'does not fit' recommend out/model bad --user 1
head -c 1000 out/model >cut
refused 1 'cut' evaluate cut good
refused 1 'cut' info cut
: >empty
refused 1 'empty' info empty
printf '\377\377\377\377\377\377\377\177{}' >huge
refused 1 'huge' info huge
rm good/validation.txt
refused 1 'validation' evaluate out/model good --split validation
only_files out model
