# SPDX-License-Identifier: Apache-2.0
# Vectors for other programs: whole files of the stated sizes, and nothing where something is wrong.
. "$2/cli/helpers"
world data
works train data $small --epochs 1 --out model
width=$("$program" info model | sed -n 's/^  score width *//p')

# size FILE: in bytes.
size() {
    wc -c <"$1" | tr -d ' '
}

mkdir vectors
works export model vectors
only_files vectors key.npy query.npy
same "$(cat run/out)" "query  60 x $width
key    40 x $width" "what is printed"
same "$(size vectors/query.npy)" $((128 + 60 * width * 4)) "bytes of query.npy"
same "$(size vectors/key.npy)" $((128 + 40 * width * 4)) "bytes of key.npy"
says vectors/key.npy "'<f4', 'fortran_order': False, 'shape': (40, $width)"

# Both forms hold the same numbers; that they are the scorer's is seen by test_export.
works export model one --format safetensors
tail -c $((60 * width * 4)) vectors/query.npy >rows
tail -c $((40 * width * 4)) vectors/key.npy >>rows
tail -c $((100 * width * 4)) one >tensors
cmp rows tensors >/dev/null || broken "the same numbers in both forms wanted"
says one '"format":"cfdtbd-vectors"'
cp vectors/key.npy before
works export model vectors --format=npy
cmp before vectors/key.npy >/dev/null || broken "the same bytes again wanted"
rm -r before rows tensors vectors one

refused 1 'cannot write absent/query.npy' export model absent
refused 1 'cannot write data: it is a directory' export model data --format safetensors
refused 1 'absent' export absent . --format npy
refused 1 'data/train.txt: .*safetensors' export data/train.txt .
refused 2 'OUT is missing' export model
refused 2 '\-\-format "csv"' export model . --format csv
refused 2 'no option --device' export model . --device cpu
only_files . data model run
