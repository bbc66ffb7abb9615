#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Do the tests see what they must? Of the kernels in cuda/ every barrier and every check of a bound is left out in turn, one
# at a time, in a copy of the project; the simulated suites must fail each time. Prints the survivors and how many there were of
# how many; exits with 1 where there is one.
#
# mutate.sh [FILE...]   FILE: of cuda/ (all of them). Needs what tests/run.sh installs; takes some minutes.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
trap 'exit 1' INT TERM
(cd "$root" && git ls-files -co --exclude-standard | tar -cf - -T -) | tar -xf - -C "$copy"
cd "$copy"
# shellcheck disable=SC2046 # names without spaces
[ $# -gt 0 ] || set -- $(cd cuda && ls -- *.cu *.cuh)

# What a left out check calls.
sed -i 's|^__device__ __forceinline__ bool inside|__device__ __forceinline__ bool unchecked(int64_t, int64_t)\n{\n    return true;\n}\n\n&|' \
    cuda/device.cuh
cmake -S . -B build -DCMAKE_BUILD_TYPE=Release -DCFDTBD_TESTS=ON -DCFDTBD_CUDA=off >/dev/null
cmake --build build -j "$(nproc)" >/dev/null

# suites_of FILE: those that run its kernels, the quickest first.
suites_of()
{
    case $1 in
    draw_batch.cu | batch_index.cu) echo test_ops_draw test_ops_instance ;;
    bpr.cu | pair_cosine.cu | penalty.cu | batch.cuh) echo test_ops_losses test_cuda_training ;;
    adam.cu) echo test_ops_update ;;
    spmm*) echo test_ops_graph test_cuda_products test_cuda_training ;;
    probe.cu) echo test_cuda_products ;;
    features.cu | project.cu) echo test_ops_features test_short_features test_cuda_products ;;
    whitening.cu | inverse_sqrt*) echo test_ops_whitening ;;
    ranker* | top_k*) echo test_serving_device ;;
    record.cu | memory.cu) echo test_ops_graph test_cuda_training ;;
    *) echo test_ops_losses test_ops_draw test_ops_graph test_ops_whitening test_cuda_training ;;
    esac
}

# fails FILE: does a suite fail, or the build?
fails()
{
    cmake --build build --target cfdtbd_cuda_simulated >/dev/null 2>&1 || { echo "does not compile"; return 0; }
    for suite in $(suites_of "$1"); do
        [ -x "build/tests/$suite" ] || continue
        if ! TEST_BACKEND=cuda CK_DEFAULT_TIMEOUT=30 timeout 120 "build/tests/$suite" >"$copy/output" 2>&1; then
            return 0
        fi
    done
    return 1
}

mutants=0
survivors=0
# try FILE LINE SUBSTITUTION: one mutant.
try()
{
    cp "cuda/$1" "$copy/original"
    sed -i "$2$3" "cuda/$1"
    if cmp -s "cuda/$1" "$copy/original"; then
        return 0
    fi
    mutants=$((mutants + 1))
    if ! fails "$1"; then
        survivors=$((survivors + 1))
        echo "survivor: cuda/$1:$2: $(sed -n "$2s/^ *//p" "$copy/original")  [$3]"
    fi
    cp "$copy/original" "cuda/$1"
}

# shellcheck disable=SC2013 # numbers of lines
for file in "$@"; do
    for line in $(grep -n '__syncthreads()\|__syncwarp()' "cuda/$file" | cut -d: -f1); do
        try "$file" "$line" 's/__sync[a-z]*()/(void)0/'
    done
    for line in $(grep -n '[^_a-z]inside(' "cuda/$file" | grep -v '__device__' | cut -d: -f1); do
        for nth in 1 2 3 4; do
            try "$file" "$line" "s/inside(/unchecked(/$nth"
        done
    done
done
echo "$survivors survivors of $mutants mutants"
[ "$survivors" -eq 0 ]
