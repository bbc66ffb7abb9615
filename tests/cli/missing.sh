# SPDX-License-Identifier: Apache-2.0
# Features that are dropped on purpose, and how items that lack a modality are scored.
. "$2/cli/helpers"
world data

# metric_of REPORT: what the runs are compared by.
metric_of()
{
    in_section "$1" test ndcg@20
}

works train data $small --epochs 3 --report whole.json
same "$(in_section whole.json config drop.shape)" '0' "drop.shape without a word on it"
same "$(in_section whole.json config missing.renormalise)" '"no"' "missing.renormalise without a word on it"

# The seed draws: the same items again, others with another one.
works train data $small --epochs 3 --set drop.shape=0.5 --verbose --report half.json
same "$(in_section half.json config drop.shape)" '0.5' drop.shape
says run/err 'drop.shape: the features of [12][0-9] of 40 items are left out'
grep 'are left out' run/err >drawn
works train data $small --epochs 3 --set drop.shape=0.5 --threads 1 --report again.json
same "$(metric_of again.json)" "$(metric_of half.json)" "ndcg@20 of the same items dropped"
works train data $small --epochs 0 --set drop.shape=0.5 --verbose --seed 4 --report seed.json
grep 'are left out' run/err >others
! cmp -s drawn others || broken "another seed draws as many"

# Without any shape only words are left; the data set itself keeps all.
works train data $small --epochs 3 --set drop.shape=1 --report none.json
[ "$(metric_of none.json)" != "$(metric_of whole.json)" ] || broken "dropping all shapes changes nothing"
works info data
says run/out 'shape: dense float32, 2 columns, 80 numbers, 0 items without$'

# Scores of items that lack a modality are another matter; training is not.
works train data $small --epochs 3 --set drop.shape=0.5 --set missing.renormalise=yes --report scaled.json --out scaled
same "$(in_section scaled.json config missing.renormalise)" '"yes"' missing.renormalise
[ "$(metric_of scaled.json)" != "$(metric_of half.json)" ] || broken "missing.renormalise changes nothing"
works evaluate scaled data --json
near "$(sed 's/.*"ndcg@20": \([^,}]*\).*/\1/' run/out)" "$(metric_of scaled.json)" 1e-9 "ndcg@20 of the file"

refused 2 'drop.shape' train data --set drop.shape=1.5
refused 2 'drop.ROLE' train data --set drop=0.5
