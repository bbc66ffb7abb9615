# SPDX-License-Identifier: Apache-2.0
# Ctrl-C: stops after the step, keeps the best model so far, says so, still evaluates and writes.
. "$2/cli/helpers"
world data

# silence: what an earlier program said is gone, before another one is waited for. The shell opens run/err for it only in the
# background, perhaps after the first look.
silence() {
    : >run/err
}

# wait_for PATTERN: until the background program has said so; at most a minute.
wait_for() {
    waited=0
    until grep -q -e "$1" run/err; do
        kill -0 "$running" 2>/dev/null || broken "a program that still runs wanted"
        [ "$waited" -lt 600 ] || broken "\"$1\" within a minute wanted"
        sleep 0.1
        waited=$((waited + 1))
    done
}

running=
trap '[ -z "$running" ] || kill -KILL "$running" 2>/dev/null; rm -rf "$work"' EXIT

# ended: its exit code, which must be there within two minutes.
ended() {
    waited=0
    while kill -0 "$running" 2>/dev/null; do
        [ "$waited" -lt 1200 ] || broken "the end within two minutes wanted"
        sleep 0.1
        waited=$((waited + 1))
    done
    wait "$running"
    code=$?
    running=
}

what="train, interrupted"
silence
"$program" train data $small --epochs 1000000 --set patience=1000000 --out model --report report.json >run/out 2>run/err &
running=$!
wait_for '^epoch 3/1000000'
kill -INT "$running"
ended
[ "$code" -eq 0 ] || broken "exit code 0 wanted"
says run/err '^cfdtbd: stopping after this step'
says run/err '^cfdtbd: stopped by Ctrl-C after [0-9]* whole epochs; kept: the best model so far$'
says run/out '^test set, full ranking'
same "$(in_section report.json training ended_by)" '"interrupt"' "what ended the training"
epochs=$(in_section report.json training epochs_done)
[ "$epochs" -ge 3 ] && [ "$epochs" -lt 1000000 ] || broken "some epochs wanted, not $epochs"
best=$(in_section report.json best epoch)
[ "$best" -ge 1 ] && [ "$best" -le "$epochs" ] || broken "a best epoch up to $epochs wanted, not $best"

# The file is the model of the best epoch: its validation metrics are those of the record.
works evaluate model data --split validation --json
near "$(sed 's/.*"ndcg@5": \([^,}]*\).*/\1/' run/out)" "$(in_section report.json best ndcg@5)" 1e-9 "ndcg@5 of the kept model"
valid_json report.json

# A second one ends the program at once, in the middle of a step. Steps of about half a second, so that the second one
# nearly always comes before the first has taken effect; nearly, hence the attempts.
rm model report.json
what="train, interrupted twice"
attempt=0
while :; do
    attempt=$((attempt + 1))
    [ "$attempt" -le 10 ] || broken "the end by the second signal, at least once in 10 attempts, wanted"
    rm -f model*
    silence
    "$program" train data --set embedding_dim=512 --epochs 1000000 --select none --out model >run/out 2>run/err &
    running=$!
    wait_for '^epoch 1/1000000'
    kill -INT "$running"
    sleep 0.05
    kill -INT "$running" 2>/dev/null
    ended
    grep -q 'stopped by Ctrl-C' run/err || break
done
[ "$code" -eq 130 ] || broken "the end by SIGINT (130) wanted"
only_files . data run

# A second one that comes only during the evaluation after training ends the program too, but the trained model is there.
# Negatives that are many make that evaluation take seconds.
mkdir large
awk 'BEGIN {
    for (u = 0; u < 20000; u++) {
        print u, u % 5000, (u * 7 + 1) % 5000, (u * 13 + 2) % 5000 >"large/train.txt"
        print u, (u * 17 + 3) % 5000 >"large/test.txt"
    }
}'
what="train, interrupted, and again in its last evaluation"
silence
"$program" train large --set embedding_dim=8 --set layers=1 --epochs 1000000 --select none --protocol sampled \
    --set negatives=100000 --out model --report report.json >run/out 2>run/err &
running=$!
wait_for '^epoch 1/1000000'
kill -INT "$running"
waited=0
until [ -e model ]; do
    kill -0 "$running" 2>/dev/null || broken "a program that still runs wanted"
    [ "$waited" -lt 1200 ] || broken "a model within two minutes wanted"
    sleep 0.1
    waited=$((waited + 1))
done
kill -INT "$running" 2>/dev/null
ended
[ "$code" -eq 130 ] || broken "the end by SIGINT (130) wanted, before the evaluation ends"
only_files . data large model run
works info model
says run/out '^  users  *20000$'
says run/out '^  trained  *[1-9][0-9]* steps$'
