# SPDX-License-Identifier: Apache-2.0
# The same seed gives the same bits, whatever the number of threads; another seed does not.
. "$2/cli/helpers"
world data

for threads in 1 2 3; do
    works train data $small --epochs 3 --seed 11 --threads $threads --out model$threads --report report$threads.json
    # What the clock says differs, and so does the number of threads.
    grep -v -e 'seconds"' -e '"threads"' report$threads.json >kept$threads
done
cmp model1 model2 >/dev/null || broken "the same model file with 1 and 2 threads wanted"
cmp model1 model3 >/dev/null || broken "the same model file with 1 and 3 threads wanted"
cmp kept1 kept2 >/dev/null || broken "the same report with 1 and 2 threads wanted"
cmp kept1 kept3 >/dev/null || broken "the same report with 1 and 3 threads wanted"

works train data $small --epochs 3 --seed 11 --out again
cmp model1 again >/dev/null || broken "the same model file again wanted"
works train data $small --epochs 3 --seed 12 --out other
! cmp -s model1 other || broken "another model from another seed wanted"
