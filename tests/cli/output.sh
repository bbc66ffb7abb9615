# SPDX-License-Identifier: Apache-2.0
# Output that cannot be written is one error, before training where it can be known, and leaves nothing behind.
. "$2/cli/helpers"
world data
mkdir out

for option in --out --report; do
    refused 1 'absent/file' train data --epochs 1000000 $option absent/file
    refused 1 'data/train.txt/file' train data --epochs 1000000 $option data/train.txt/file
    refused 1 'out: it is a directory' train data --epochs 1000000 $option out
    refused 1 '/dev/null.*not an ordinary file' train data --epochs 1000000 $option /dev/null
    [ -c /dev/null ] || broken "/dev/null as it was wanted"
done
mkdir closed && chmod 555 closed
if ! touch closed/try 2>/dev/null; then # not as root
    refused 1 'closed/model' train data --epochs 1000000 --out closed/model
    refused 1 'closed/report' train data --epochs 1000000 --report closed/report
fi
# The good one of the two is not touched when the other is refused.
echo kept >out/model
refused 1 'absent' train data --epochs 1000000 --out out/model --report absent/report
same "$(cat out/model)" kept "the old model"
only_files out model

# What was there is replaced.
works train data $small --epochs 1 --out out/model --report out/report
works info out/model
only_files out model report

# What a killed process of the same number left behind is in nobody's way, and stays.
for _ in 1 2; do
    sh -c ': >"$1.$$-0.tmp" && shift && exec "$@"' sh out/report "$program" train data $small --epochs 1 \
        --report out/report >run/out 2>run/err
    code=$?
    what="train, report.PID-0.tmp is there"
    [ "$code" -eq 0 ] || broken "exit code 0 wanted"
done
same "$(find out -name 'report.*-0.tmp' | wc -l)" 2 "leftovers"
rm out/report.*
only_files out model report

# One place for both, however it is written, is refused before the one overwrites the other.
ln -s out alias
cp out/model kept
for other in ./out/model out/../out/model out//model alias/model "$work/out/model"; do
    refused 2 'same file' train data --epochs 1 --out out/model --report "$other"
    refused 2 'same file' train data --epochs 1 --out "$other" --report out/model
done
cmp -s kept out/model || broken "the model as it was wanted"
works train data $small --epochs 1 --out out/model --report ./report # the same name elsewhere is another file
mkdir other
works train data $small --epochs 1 --out other/report --report ./report
works info other/report
rm -r report other kept alias

# Without --out the model is lost: a warning says so.
works train data $small --epochs 1
says run/err '^cfdtbd: warning: .*--out'

# A full disk, a closed pipe, a closed stdout.
into() {
    what="$1 with stdout $2"
    [ "$code" -eq 1 ] || broken "exit code 1 wanted"
    one_error 'standard output'
}
: >run/out
if [ -c /dev/full ]; then
    "$program" config >/dev/full 2>run/err
    code=$?
    into config '/dev/full'
    "$program" --help >/dev/full 2>run/err
    code=$?
    into --help '/dev/full'
    "$program" recommend out/model data --user 1 --json >/dev/full 2>run/err
    code=$?
    into recommend '/dev/full'
fi
"$program" config >&- 2>run/err
code=$?
into config closed
{
    sleep 1
    "$program" config 2>run/err
    echo $? >run/code
} | :
code=$(cat run/code)
into config 'a closed pipe'

# Training is not lost with it: model and report are written all the same.
rm out/model out/report
"$program" train data $small --epochs 1 --out out/model --report out/report >&- 2>run/err
code=$?
grep -v '^epoch ' run/err >run/rest
mv run/rest run/err
into train closed
only_files out model report
works info out/model
