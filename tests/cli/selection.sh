# SPDX-License-Identifier: Apache-2.0
# What decides which epoch is kept, and that the report says so.
. "$2/cli/helpers"
world data

works train data $small --epochs 2 --report report.json
says report.json '^  "selected_on": "validation",$'
silent run/err 'test set'

works train data $small --epochs 2 --select test --report report.json
says report.json '^  "selected_on": "test",$'
says run/err '^cfdtbd: warning: .*test set.*optimistic'
says run/err '^epoch 2/2 .* test hr@5 '
same "$(in_section report.json best split)" '"test"' "split of best"
# The kept epoch is the one whose test metrics are reported.
same "$(in_section report.json best hr@10)" "$(in_section report.json test hr@10)" "hr@10 of best and test"

works train data $small --epochs 2 --set select=test --report report.json
says report.json '^  "selected_on": "test",$'
says run/err 'optimistic'

# With validation merged in, the default is none, and the training interactions are both.
works train data $small --epochs 2 --merge-validation --report report.json
says report.json '^  "selected_on": "none",$'
says run/out '540 training interactions$'
same "$(in_section report.json training n_train)" 540 "interactions trained on"
same "$(in_section report.json best selected)" false "selected"
same "$(in_section report.json config merge_validation)" '"yes"' merge_validation

works train data $small --epochs 2 --merge-validation --select test --report report.json
says report.json '^  "selected_on": "test",$'

rm report.json
refused 2 'select validation' train data --merge-validation --select validation --report report.json
refused 2 'select validation' train data --set merge_validation=yes --set select=validation --report report.json
[ ! -e report.json ] || broken "no report wanted"

# A split that is not there cannot select; without a word on it, the last epoch is kept.
mv data/validation.txt away
refused 1 'validation' train data $small --epochs 2 --select validation --out model
[ ! -e model ] || broken "no model wanted"
works train data $small --epochs 2 --report report.json
says report.json '^  "selected_on": "none",$'
