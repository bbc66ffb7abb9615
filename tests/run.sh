#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing (Debian 12, root or sudo), builds, runs every test: first under the address and
# undefined-behaviour sanitizers, then what dense products touch with a CBLAS in oneDNN's place, then all as released, with
# warnings as errors. The GPU is simulated in the first and the last; where nvcc is, the backend is also compiled for real in the
# last. From any folder, with or without a terminal, as often as you like. Builds into build/sanitized, build/cblas and
# build/tests. Arguments go to ctest (-R parity, say).
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=examples/install-missing.sh
. "$root/examples/install-missing.sh"
install_missing build-essential cmake pkg-config libdnnl-dev libopenblas-dev check libsubunit-dev locales libmicrohttpd-dev curl

# build FOLDER OPTION...: configures and builds.
build()
{
    folder=$root/build/$1
    shift
    cmake -S "$root" -B "$folder" -DCMAKE_BUILD_TYPE=Release -DCFDTBD_TESTS=ON "$@"
    cmake --build "$folder" -j "$(nproc)"
}

# run_tests FOLDER ARGUMENT...: how many test cases ran on each backend is counted in FOLDER/backends.txt.
run_tests()
{
    folder=$root/build/$1
    shift
    TEST_BACKENDS_FILE=$folder/backends.txt
    export TEST_BACKENDS_FILE
    rm -f "$TEST_BACKENDS_FILE"
    (cd "$folder" && ctest -j "$(nproc)" --output-on-failure --no-tests=error "$@")
}

count_backends()
{
    echo "Test cases by backend (refe is the reference, cuda the simulated GPU):"
    sort -u "$root/build/$1/backends.txt" | cut -d' ' -f1 | sort | uniq -c
}

# Sanitizers make gcc see warnings that are none, so those are errors in the last build only.
build sanitized -DCFDTBD_SANITIZE=address,undefined -DCFDTBD_CUDA=off
run_tests sanitized "$@"
count_backends sanitized

# One thread: how many OpenBLAS uses is not the library's to say, and its sums depend on it. The GPU has its own products.
build cblas -DCFDTBD_GEMM=cblas -DCFDTBD_WARNINGS_AS_ERRORS=ON -DCFDTBD_CUDA=off -DCFDTBD_SIMULATED_GPU=OFF
OPENBLAS_NUM_THREADS=1 run_tests cblas -R 'ops_|whitening|gradients|parity|precision|determinism|workspace|scorer|top_k|gemm'

# Some toolkits lack the program that lists what a plugin holds; PyPI has it.
tools=$root/build/tools
if command -v nvcc >/dev/null && ! command -v cuobjdump >/dev/null && [ ! -d "$tools" ]; then
    python3 -m pip install --quiet --target "$tools" nvidia-cuda-cuobjdump ||
        echo "no cuobjdump: the targets of the CUDA backend are not checked" >&2
fi
folder_of_cuobjdump=$(dirname "$(find "$tools" -name cuobjdump -type f 2>/dev/null | head -n 1)")
build tests -DCFDTBD_WARNINGS_AS_ERRORS=ON -DCFDTBD_CUOBJDUMP_FOLDER="$folder_of_cuobjdump"
run_tests tests "$@"
