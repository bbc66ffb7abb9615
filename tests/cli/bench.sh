# SPDX-License-Identifier: Apache-2.0
# Measuring: every subcommand at small sizes. What a clock says is only held to be possible; sizes, names and sums to be right.
. "$2/cli/helpers"
TMPDIR=$work/tmp
export TMPDIR
mkdir tmp || exit 1
sizes="--users 200 --items 100 --interactions 1500 --threads 2"
steps="--batch 64 --steps 6 --warm-up 1"

# top KEY: the value of a key of the printed object itself.
top() {
    sed -n "s/^  \"$1\": \(.*[^,]\),\{0,1\}\$/\1/p" run/out
}

# number KEY LEAST MOST
number() {
    awk -v v="$(top "$1")" -v least="$2" -v most="$3" 'BEGIN { exit !(v ~ /^[0-9.e+-]+$/ && v >= least && v <= most) }' ||
        broken "$1 from $2 to $3 wanted, not $(top "$1")"
}

clean() {
    same "$(ls -A tmp)" "" "files left in TMPDIR"
}

# ---- step ----

works bench step $sizes $steps --dense 24,8 --preset beauty --precision float32 --json
valid_json run/out
number step_ms 0.001 60000
number products_ms 0.0001 60000
number features_bytes 12800 12800 # 100 x (24 + 8) x 4
# Ids of 300 nodes, users' rows of 2 x 2 heads, 24 and 8 columns of weights in 2 heads: each 64 wide, in float32.
number parameter_bytes 298 99999999
same "$(top parameter_bytes)" $(((300 * 64 + 200 * 4 * 64 + (24 + 8) * 2 * 64) * 4)) parameter_bytes
number peak_bytes 1000000 2000000000
for key in users:200 items:100 interactions:1500 steps:6 batch_size:64 threads:2 embedding_dim:64; do
    same "$(top "${key%%:*}")" "${key##*:}" "${key%%:*}"
done
same "$(top precision)" '"float32"' precision
same "$(top preset)" '"beauty"' preset
awk '/"step_ms":/ { m = $2 + 0 } /"step_ms_spread"/ { inside = 1 }
    inside && /least/ { a = $2 + 0 } inside && /lower/ { b = $2 + 0 } inside && /upper/ { c = $2 + 0 }
    inside && /most/ { exit !(0 < a && a <= b && b <= m && m <= c && c <= $2 + 0) }' run/out || broken "quartiles in order wanted"
# The parts: every modality is projected and back, once a step; together they are about the step.
for detail in '24 x 128' '8 x 128'; do
    for operation in 'project' 'gradient of project'; do
        awk -v o="\"operation\": \"$operation\"," -v d="\"detail\": \"$detail\"," '
            index($0, o) { here = 1; next } here && index($0, d) { there = 1; next }
            there && /"calls": 1,/ { found = 1 } { here = there = 0 } END { exit !found }' run/out ||
            broken "$operation of $detail, once a step, wanted"
    done
done
for operation in 'sparse product' 'ranking loss' 'cosine loss' penalty adam 'draw batch' 'index batch' 'cross moment' \
    'inverse root' 'multiply right'; do
    says run/out "\"operation\": \"$operation\","
done
awk '/"profiled_step_ms"/ { step = $2 + 0 } /"other_ms"/ { sum += $2 } /^      "ms":/ { sum += $2 }
    /"fraction":/ && $2 + 0 < 0 { exit 1 }
    END { exit !(sum > 0.3 * step && sum < 2 * step) }' run/out || broken "parts that make up the step wanted"
says run/out '"copy_gb_per_second": [0-9]'
# No part beats the products' ceiling by far: it does not come from a product as tiny as this step's.
awk '/"gflops":/ { g = $2 + 0 } /"float32": [0-9]/ { top = $2 + 0 } g > most { most = g }
    END { exit !(top > 0 && most < 3 * top) }' run/out || broken "a ceiling above the parts wanted"
says run/out '^      "float32": [0-9]'

# Tags instead: no dense product. The seed and a key of the config are taken.
works bench step $sizes $steps --sparse 50:4 --set layers=2 --seed 5 --instructions baseline --json
valid_json run/out
same "$(top products_ms)" 0 products_ms
same "$(top seed)" 5 seed
same "$(top instruction_set)" '"baseline"' instruction_set
same "$(top features_bytes)" $((100 * 4 * 8 + 100 * 8)) features_bytes
says run/out '"detail": "50 x 128, sparse"'
says run/out '"nonzeros_per_item": 4'

# For people; both kinds of modalities; a user's number of items may reach all of them.
works bench step --users 30 --items 20 --interactions 590 --dense 5 --sparse 9:9,12:1 $steps
says run/out '^data .*30 users, 20 items, 590 interactions$'
says run/out 'visual: 5 columns'
says run/out 'textual: 9 tags, 9 an item'
says run/out 'm3: 12 tags, 1 an item'
says run/out '^step .* ms (quartiles '
says run/out '^adam  .*%'
says run/out '^ceilings '
[ ! -s run/err ] || broken "nothing on stderr wanted"

# ---- ops ----

works bench ops $sizes $steps --dense 24 --json
valid_json run/out
says run/out '"instruction_set": "baseline"'
same "$(grep -c '"operation": "adam"' run/out)" "$(grep -c '"instruction_set": ' run/out)" "parts of every set"
works bench ops $sizes $steps --dense 24
says run/out 'baseline'
says run/out '^whole step  *[0-9]'
refused 2 'reference: it has no sets' bench ops $sizes $steps --dense 24 --device reference

# ---- score ----

works bench score $sizes --k 7 --runs 5 --json
valid_json run/out
for key in seconds float32_seconds product_seconds user_ms float32_user_ms; do
    number $key 0.0000001 600
done
for key in users:200 items:100 width:576 k:7 runs:5 lists_equal:true; do
    same "$(top "${key%%:*}")" "${key##*:}" "${key%%:*}"
done
clean
world data
works train data $small --epochs 1 --out model.safetensors
works bench score --model model.safetensors --k 5 --runs 5 --json
valid_json run/out
same "$(top users)" 60 users
same "$(top items)" 40 items
works bench score $sizes --k 3 --runs 5
says run/out '200 users, 100 items, 576 columns$'
says run/out '^bare product .* s (quartiles '
refused 1 'no-such-model' bench score --model no-such-model
clean

# ---- load ----

works bench load $sizes --dense 6 --sparse 30:3 --runs 2 --json
valid_json run/out
for section in interactions npy tags whole; do
    bytes=$(in_section run/out $section bytes)
    awk -v b="${bytes:-0}" -v s="$(in_section run/out $section seconds)" 'BEGIN { exit !(b > 0 && s > 0) }' ||
        broken "bytes and seconds of $section wanted"
done
same "$(in_section run/out npy bytes)" $((128 + 100 * 6 * 4)) "bytes of .npy"
clean
works bench load $sizes --dense 6 --runs 1
says run/out '^train.txt  *[0-9]'
silent run/out '^tags '
clean
# A file that cannot be written leaves nothing behind.
(
    trap '' XFSZ
    ulimit -f 16
    refused 1 'cannot be written' bench load --users 3000 --items 2000 --interactions 30000 --runs 1
) || exit 1
clean
# Nor does a signal: it ends the program once all is removed.
"$program" bench load --users 100000 --items 50000 --interactions 3000000 --runs 1000 >run/out 2>run/err &
process=$!
what="cfdtbd bench load, terminated"
waited=0
while [ -z "$(ls -A tmp)" ] && [ "$waited" -lt 100 ]; do
    sleep 0.1
    waited=$((waited + 1))
done
kill -TERM "$process"
wait "$process"
code=$?
[ "$code" -eq 143 ] || broken "an end by SIGTERM wanted"
says run/err '^cfdtbd: interrupted$'
clean
TMPDIR=$work/nowhere
refused 1 'nowhere.*temporary' bench load $sizes --runs 1
TMPDIR=$work/tmp

# ---- the command line ----

for subcommand in step score load ops; do
    works bench $subcommand --help
    says run/out "^usage: cfdtbd bench $subcommand \[OPTION\]"
    works bench --help
    says run/out "^  $subcommand "
done
refused 2 'step, score, load or ops is missing' bench
refused 2 '"stepp"; the nearest is step' bench stepp
refused 2 'no "xyzzyplugh"' bench xyzzyplugh
refused 2 'bench step: there is no option --user; the nearest is --users' bench step --user 3
refused 2 'one argument too many' bench step DIR
refused 2 '\-\-interactions 199: at least one for each' bench step --users 200 --items 100 --interactions 199
refused 2 '\-\-interactions 21: .*no more than 20' bench step --users 4 --items 5 --interactions 21
for dense in 0 -1 x '3,' ,3 3,,4 4:2 10000001; do
    refused 2 "\-\-dense \"$dense\"" bench step $sizes --dense "$dense"
done
for sparse in 5 5:6 5:0 5: :5 5:1:1 '5:1,'; do
    refused 2 "\-\-sparse \"$sparse\"" bench step $sizes --sparse "$sparse"
done
refused 2 'more than 8 modalities' bench step $sizes --dense 1,2,3,4,5 --sparse 5:1,6:1,7:1,8:1
refused 2 '\-\-precision "half"' bench step --precision half
refused 2 '\-\-instructions "sse"' bench step --instructions sse
refused 2 '\-\-preset: .*beauty' bench step --preset beautey
refused 2 'lasagna' bench step --set lasagna=3
refused 2 '\-\-runs "4"' bench score --runs 4
refused 2 '\-\-k "0"' bench score --k 0
refused 2 'device' bench step $sizes --device teapot
