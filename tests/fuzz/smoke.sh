#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The targets are built by clang and run for a moment each, from the seeds and the same start: that they work, not that they find.
# A build by clang with warnings as errors is a check by itself. smoke.sh ROOT FOLDER, FOLDER is written to.
set -eu
clang=$(command -v clang) || { echo "no clang: nothing is fuzzed"; exit 77; }
root=$(cd "$1" && pwd)
mkdir -p "$2"
cd "$2"
echo 'int LLVMFuzzerTestOneInput(const unsigned char *b, unsigned long n); int LLVMFuzzerTestOneInput(const unsigned char *b, unsigned long n) { return !b && n; }' >try.c
"$clang" -fsanitize=fuzzer,address,undefined -o try try.c >try.log 2>&1 && ./try -runs=1 >try.log 2>&1 ||
    { echo "clang lacks its runtime (Debian: libclang-rt-14-dev), or it does not run here: nothing is fuzzed"; exit 77; }

cmake -S "$root" -B build -DCMAKE_C_COMPILER="$clang" -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_FLAGS_RELEASE=-O1 -DCFDTBD_FUZZ=ON \
    -DCFDTBD_WARNINGS_AS_ERRORS=ON -DCFDTBD_EXAMPLES=OFF -DCFDTBD_TESTS=OFF -DCFDTBD_CUDA=off -DCFDTBD_INSTALL=OFF >configure.log
cmake --build build -j "$(nproc)" --target fuzz_targets >build.log 2>&1 || { cat build.log; exit 1; }
rm -rf seeds
build/tests/fuzz/fuzz_seeds seeds
for target in config directory json model npy; do
    mkdir -p "found/$target"
    "build/tests/fuzz/fuzz_$target" -runs=2000 -seed=1 -max_len=8192 -timeout=20 -verbosity=0 -artifact_prefix="found/$target/" \
        "seeds/$target" >"$target.log" 2>&1 || { cat "$target.log"; echo "$target: the input is in $2/found/$target"; exit 1; }
done
