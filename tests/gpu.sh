#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# On a machine with a GPU: builds the CUDA backend for it, checks what was built, runs the suites on the real device, the
# operations under compute-sanitizer where that is there, and prints the time of a training step, part by part, beside what the
# device was measured to be capable of. What it finds belongs into docs/gpu-verification.md.
#
# gpu.sh [FOLDER]   FOLDER: for the build and the output, build/gpu by default. Needs nvcc 12 or later with cuBLAS, cuSPARSE and
#                   cuSOLVER, CMake, Check, and a library for dense products on the CPU.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
build=${1:-$root/build/gpu}
if ! command -v nvidia-smi >/dev/null || ! nvidia-smi -L; then
    echo "there is no GPU here" >&2
    exit 1
fi
# shellcheck source=examples/install-missing.sh
. "$root/examples/install-missing.sh"
install_missing build-essential cmake pkg-config libdnnl-dev check libsubunit-dev

echo "== build"
cmake -S "$root" -B "$build" -DCMAKE_BUILD_TYPE=Release -DCFDTBD_TESTS=ON -DCFDTBD_CUDA=on -DCFDTBD_CUDA_TARGETS=native
cmake --build "$build" -j "$(nproc)"
plugins=$(dirname "$(find "$build" -name libcfdtbd_cuda.so -path '*/cfdtbd/*' | head -n 1)")
failed=0

echo "== suites on the device"
TEST_CUDA_PLUGIN_FOLDER=$plugins
export TEST_CUDA_PLUGIN_FOLDER
(cd "$build" && ctest --output-on-failure --no-tests=error -R '^test_|^cli_' -E _seed_) || failed=1

echo "== compute-sanitizer"
if command -v compute-sanitizer >/dev/null; then
    for tool in memcheck racecheck initcheck synccheck; do
        for suite in ops_draw ops_losses ops_update ops_graph ops_features ops_whitening serving_device; do
            echo "$tool, $suite"
            TEST_BACKEND=cuda CK_FORK=no compute-sanitizer --tool "$tool" --error-exitcode 9 "$build/tests/test_$suite" || failed=1
        done
    done
else
    echo "it is not installed: nothing was checked by it"
fi

echo "== a step, part by part, beside the ceilings of the device (Beauty's size)"
for precision in float32 tf32 bf16x3 bf16; do
    "$build/examples/cfdtbd" bench step --device cuda --users 15576 --items 8678 --interactions 139318 --dense 4096,300 \
        --preset beauty --precision "$precision" || failed=1
done
"$build/examples/cfdtbd" bench step --device cuda --users 15576 --items 8678 --interactions 139318 --sparse 1000:8,4000:8 \
    --preset beauty || failed=1
echo "== lists"
"$build/examples/cfdtbd" bench score --device cuda || failed=1
exit "$failed"
