# SPDX-License-Identifier: Apache-2.0
# The JSON report: valid, complete, and its popularity figures as an independent count gives them.
. "$2/cli/helpers"
world data

works train data $small --epochs 3 --report report.json --threads 1 --seed 18446744073709551615 --k 5,10
valid_json report.json
for section in test popularity best training data config environment; do
    says report.json "^  \"$section\": {\$"
done
says report.json '^  "selected_on": "validation",$'
says report.json '^  "history": \[$'

# A record an epoch, with every term of the loss and its branches by role.
same "$(grep -c '^      "epoch": ' report.json)" 3 "records in history"
for key in total ranking penalty common differential; do
    same "$(grep -c "^        \"$key\": -\\{0,1\\}[0-9]" report.json)" 3 "losses.$key"
done
for key in base fused; do
    same "$(grep -c "^          \"$key\": [0-9]" report.json)" 6 "ranking_of and penalty_of $key"
done
terms=$(sed -n '/^typedef struct cfd_losses {/,/^}/s/^ *double \([^;]*\);.*/\1/p' "$2/../include/cfdtbd.h" | tr -d ' ' | tr ',' '\n')
for term in $terms; do
    grep -q -e "l->${term%%\[*}\>" "$2/../examples/cfdtbd/report.c" || broken "cfd_losses.$term in reports wanted"
done
[ "$(echo "$terms" | wc -l)" -ge 11 ] || broken "the terms of cfd_losses wanted"
for role in shape words; do
    same "$(grep -c "^            \"$role\": [0-9]" report.json)" 6 "ranking_of and penalty_of $role"
done
for key in seconds training_seconds evaluation_seconds; do
    same "$(grep -c "^      \"$key\": [0-9]" report.json)" 3 "$key"
done
# Every second epoch, and the last one: 2 and 3 were evaluated.
same "$(grep -c '^      "metrics": {' report.json)" 2 "evaluated epochs"

# ranking is the sum of its branches.
awk '/"ranking": / { r = $2 } /"ranking_of"/ { inside = 1; sum = 0; next }
    inside && /": [0-9]/ { sum += $2 }
    inside && /"fused"/ { inside = 0; d = r - sum; if (d < 0) d = -d; if (d > 1e-5 * r) exit 1 }' report.json ||
    broken "ranking is the sum of ranking_of wanted"

same "$(in_section report.json data n_users)" 60 n_users
same "$(in_section report.json data n_train)" 480 n_train
same "$(in_section report.json environment seed)" 18446744073709551615 seed
same "$(in_section report.json environment threads)" 1 threads
works --version
same "$(in_section report.json environment version)" "\"$(sed -n 's/^cfdtbd //p' run/out)\"" version
for key in device instruction_set gemm; do
    [ -n "$(in_section report.json environment $key)" ] || broken "environment.$key wanted"
done

# config holds every key that `cfdtbd config` lists, ROLE replaced by the roles of the model.
works config --set lambda.shape=1 --set lambda.words=1
sed -n 's/^\([a-z_0-9.]*\) = .*/\1/p' run/out >keys
[ "$(wc -l <keys)" -gt 40 ] || broken "more than 40 keys wanted"
while read -r key; do
    [ -n "$(in_section report.json config "$key")" ] || broken "config.$key wanted"
done <keys
same "$(in_section report.json config embedding_dim)" 8 embedding_dim
same "$(in_section report.json config select)" '"validation"' select

# Popularity, counted here: how many unseen items have at least as many training interactions as the held-out one.
# Ties count against it.
awk 'FILENAME == "data/train.txt" { for (i = 2; i <= NF; i++) { count[$i]++; seen[$1, $i] = 1 } next }
    FILENAME == "data/validation.txt" { for (i = 2; i <= NF; i++) seen[$1, $i] = 1; next }
    { rank = 0
      for (i = 0; i < 40; i++) if (i != $2 && !(($1, i) in seen) && count[i] + 0 >= count[$2] + 0) rank++
      n++
      if (rank < 5) { hr++; ndcg += log(2) / log(rank + 2); mrr += 1 / (rank + 1) } }
    END { printf "%.15g %.15g %.15g %d\n", hr / n, ndcg / n, mrr / n, n }' \
    data/train.txt data/validation.txt data/test.txt >counted
read -r hr ndcg mrr n <counted
near "$(in_section report.json popularity hr@5)" "$hr" 1e-9 "popularity hr@5"
near "$(in_section report.json popularity recall@5)" "$hr" 1e-9 "popularity recall@5 of one held-out item"
near "$(in_section report.json popularity ndcg@5)" "$ndcg" 1e-9 "popularity ndcg@5"
near "$(in_section report.json popularity mrr@5)" "$mrr" 1e-9 "popularity mrr@5"
same "$(in_section report.json popularity n_users)" "$n" "users of popularity"
same "$(in_section report.json test n_users)" "$n" "users of the test"

# Without a test split there is no test; popularity is measured on validation.
rm data/test.txt
works train data $small --epochs 1 --report report.json
says report.json '^  "test": null,$'
same "$(in_section report.json popularity split)" '"validation"' "split of popularity"
rm data/validation.txt
works train data $small --epochs 1 --report report.json
says report.json '^  "popularity": null,$'
says report.json '^  "selected_on": "none",$'
valid_json report.json
