#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing (Debian 12, root or sudo), builds, runs every test: first under the address and
# undefined-behaviour sanitizers, then what dense products touch with a CBLAS in oneDNN's place, then all as released, with
# warnings as errors. From any folder, with or without a terminal, as often as you like. Builds into build/sanitized,
# build/cblas and build/tests. Arguments go to ctest (-R parity, say).
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=examples/install-missing.sh
. "$root/examples/install-missing.sh"
install_missing build-essential cmake pkg-config libdnnl-dev libopenblas-dev check libsubunit-dev locales

# build FOLDER OPTION...: configures and builds.
build()
{
    folder=$root/build/$1
    shift
    cmake -S "$root" -B "$folder" -DCMAKE_BUILD_TYPE=Release -DCFDTBD_TESTS=ON "$@"
    cmake --build "$folder" -j "$(nproc)"
}

# Sanitizers make gcc see warnings that are none, so those are errors in the second build only.
build sanitized -DCFDTBD_SANITIZE=address,undefined
(cd "$root/build/sanitized" && ctest --output-on-failure --no-tests=error "$@")

# One thread: how many OpenBLAS uses is not the library's to say, and its sums depend on it.
build cblas -DCFDTBD_GEMM=cblas -DCFDTBD_WARNINGS_AS_ERRORS=ON
(cd "$root/build/cblas" && OPENBLAS_NUM_THREADS=1 ctest --output-on-failure --no-tests=error \
    -R 'ops_|whitening|gradients|parity|precision|determinism|workspace|scorer|top_k|gemm')

build tests -DCFDTBD_WARNINGS_AS_ERRORS=ON
cd "$root/build/tests" && ctest --output-on-failure --no-tests=error "$@"
