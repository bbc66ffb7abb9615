#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing (Debian 12, root or sudo), builds, runs every test: first under the address and
# undefined-behaviour sanitizers, then what dense products touch with a CBLAS in oneDNN's place, then what threads share under the
# thread sanitizer, then all as released, with warnings as errors. The GPU is simulated in the first and the last; where nvcc is, the backend is also compiled for real in the
# last. From any folder, with or without a terminal, as often as you like. Builds into build/sanitized, build/cblas,
# build/threads and build/tests. Arguments go to ctest (-R parity, say).
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=examples/install-missing.sh
. "$root/examples/install-missing.sh"
install_missing build-essential cmake pkg-config libdnnl-dev libopenblas-dev check libsubunit-dev locales python3-numpy \
    libmicrohttpd-dev curl libfaiss-dev libjansson-dev libomp-dev git dpkg-dev file abigail-tools lintian clang clang-format clang-tidy libclang-rt-14-dev \
    shellcheck doxygen mandoc chromium libxml2-utils

# configure FOLDER OPTION...
configure()
{
    folder=$root/build/$1
    shift
    cmake -S "$root" -B "$folder" -DCMAKE_BUILD_TYPE=Release -DCFDTBD_TESTS=ON "$@"
}

# build FOLDER OPTION...: configures and builds.
build()
{
    configure "$@"
    cmake --build "$root/build/$1" -j "$(nproc)"
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
multiply='ops_|whitening|gradients|parity|precision|determinism|workspace|scorer|top_k|gemm'
configure cblas -DCFDTBD_GEMM=cblas -DCFDTBD_WARNINGS_AS_ERRORS=ON -DCFDTBD_CUDA=off -DCFDTBD_SIMULATED_GPU=OFF
# shellcheck disable=SC2046 # a list of words
cmake --build "$root/build/cblas" -j "$(nproc)" --target cfdtbd_program json_check \
    $(cd "$root/build/cblas" && ctest -N -R "$multiply" | sed -n 's/.*: \(test_[a-z0-9_]*\)$/\1/p')
OPENBLAS_NUM_THREADS=1 run_tests cblas -R "$multiply"

# Threads that share a scorer or a pool, under the thread sanitizer; it cannot run on every kernel.
echo 'int main(void) { return 0; }' >"$root/build/thread.c"
if cc -fsanitize=thread -o "$root/build/thread" "$root/build/thread.c" && "$root/build/thread"; then
    configure threads -DCFDTBD_SANITIZE=thread -DCFDTBD_CUDA=off -DCFDTBD_SIMULATED_GPU=OFF -DCFDTBD_EXAMPLES=OFF
    cmake --build "$root/build/threads" -j "$(nproc)" --target test_scorer_threads test_base_threads test_dlpack
    run_tests threads -R '^test_(scorer_threads|base_threads|dlpack)$'
else
    echo "the thread sanitizer cannot run here: threads are not checked by it" >&2
fi

# Some toolkits lack the program that lists what a plugin holds; PyPI has it.
tools=$root/build/tools
if command -v nvcc >/dev/null && ! command -v cuobjdump >/dev/null && [ ! -d "$tools" ]; then
    python3 -m pip install --quiet --target "$tools" nvidia-cuda-cuobjdump ||
        echo "no cuobjdump: the targets of the CUDA backend are not checked" >&2
fi
folder_of_cuobjdump=$(dirname "$(find "$tools" -name cuobjdump -type f 2>/dev/null | head -n 1)")
build tests -DCFDTBD_WARNINGS_AS_ERRORS=ON -DCFDTBD_CUOBJDUMP_FOLDER="$folder_of_cuobjdump"
run_tests tests "$@"
