# SPDX-License-Identifier: Apache-2.0
# From a data set directory to a model, a report, an evaluation and a list, and back to the same numbers.
. "$2/cli/helpers"
world data
mkdir out

works train data $small --epochs 4 --out out/model.safetensors --report out/report.json --seed 7 --threads 2
only_files out model.safetensors report.json
says run/out '^data: 60 users, 40 items, 480 training interactions$'
says run/out '^model: shape, words; [0-9]* parameters$'
says run/out '^trained: 4 epochs, '
says run/out '^test set, full ranking, 60 users$'
says run/out 'model  popularity$'
for metric in hr recall ndcg precision map mrr; do
    for k in 5 10 20; do
        says run/out "^$metric@$k  *[01]\\.[0-9]*  *[01]\\.[0-9]*\$"
    done
done

# Not a terminal: one plain line an epoch, evaluated every second.
same "$(grep -c '^epoch ' run/err)" 4 "lines of progress"
says run/err '^epoch 2/4  loss .* s  validation hr@5 [01]\.[0-9]* ndcg@5 [01]\.[0-9]*'
silent run/err "$(printf '\r')"

# The saved model, evaluated, has the metrics of the report.
for protocol in full sampled; do
    works train data $small --epochs 2 --protocol $protocol --k 5,20 --out out/model.safetensors \
        --report out/report.json --set negatives=20
    works evaluate out/model.safetensors data --json --k 5,20
    valid_json run/out
    says run/out "\"protocol\": \"$protocol\""
    for metric in hr@5 ndcg@20 mrr@20 precision@5; do
        from_report=$(in_section out/report.json test $metric)
        from_model=$(sed "s/.*\"$metric\": \\([^,}]*\\).*/\\1/" run/out)
        near "$from_model" "$from_report" 1e-9 "$metric, $protocol"
    done
    same "$(in_section out/report.json test protocol)" "\"$protocol\"" "protocol of the test"
done

# Every cut-off there is, in any order.
ks=$(awk 'BEGIN { for (k = 1000; k >= 1; k--) printf "%s%d", k == 1000 ? "" : ",", (k * 17) % 1001 }')
works train data $small --epochs 1 --k "$ks" --out out/model.safetensors --report out/report.json
same "$(grep -c '^    "hr@[0-9]*": ' out/report.json)" 3000 "hr@k of test, popularity and best"
same "$(grep -c '^hr@[0-9]* ' run/out)" 1000 "hr@k in the table"
says run/out '^hr@1000  *1.0000'
works evaluate out/model.safetensors data --json --k "$ks"
same "$(grep -o '"mrr@[0-9]*": ' run/out | sort -u | wc -l | tr -d ' ')" 1000 "mrr@k of the model"
near "$(sed 's/.*"ndcg@20": \([^,}]*\).*/\1/' run/out)" "$(in_section out/report.json test ndcg@20)" 1e-9 "ndcg@20"
works train data $small --epochs 2 --protocol sampled --k 5,20 --out out/model.safetensors

works evaluate out/model.safetensors data --split validation --protocol full
says run/out '^validation set, full ranking, 60 users$'
works info out/model.safetensors
says run/out '^  users  *60$'
says run/out '^  items  *40$'
says run/out '^  modalities  *shape, words$'
says run/out '^  trained  *16 steps$' # 480 / 64 is 7.5: 8 steps an epoch
works info data
says run/out '^  interactions  480 train, 60 validation, 60 test$'
says run/out '^  modality  *shape: dense float32, 2 columns, 80 numbers, 0 items without$'
says run/out '^  modality  *words: sparse, '
mkdir short
echo '0 0 1' >short/train.txt
printf '\223NUMPY\001\000\166\000%-117s\n\000\076\000\000' \
    "{'descr': '<f2', 'fortran_order': False, 'shape': (2, 1), }" >short/shape.npy # 1.5 and 0
works info short
says run/out '^  modality  *shape: dense float16, 1 columns, 2 numbers, 1 items without$'

# --epochs 0 writes the initial model: nothing was trained, and the seed alone decides it.
works train data $small --epochs 0 --seed 5 --out out/a.safetensors --report out/a.json
works train data $small --epochs 0 --seed 5 --out out/b.safetensors
cmp -s out/a.safetensors out/b.safetensors || broken "the same initial model from the same seed wanted"
same "$(in_section out/a.json training steps_done)" 0 "steps without an epoch"
says out/a.json '^  "history": \[\],\{0,1\}$'

# Roles: chosen, ordered, renamed.
works train data $small --epochs 1 --preset beauty --modality visual=shape --modality=textual=words \
    --out out/model.safetensors --report out/report.json
says run/out '^model: visual, textual; '
same "$(in_section out/report.json config lambda.textual)" 1.2 "lambda.textual of preset beauty"
same "$(in_section out/report.json config modalities)" '"visual=shape,textual=words"' "modalities"
same "$(in_section out/report.json config layers)" 2 "a key that --set gave after the preset"
works train data $small --epochs 1 --ablation "base only" --out out/model.safetensors
says run/out '^model: no modality; '
works info out/model.safetensors
says run/out '^  modalities    none$'

# Learning helps: in this world the group decides, and popularity knows no group.
works train data --set batch_size=64 --set embedding_dim=8 --set layers=2 --set learning_rate=0.01 --epochs 20 \
    --set eval_every=5 --report out/report.json
model=$(in_section out/report.json test recall@20)
popularity=$(in_section out/report.json popularity recall@20)
awk -v m="$model" -v p="$popularity" 'BEGIN { exit !(m > p + 0.1) }' || broken "recall $model above popularity's $popularity wanted"
