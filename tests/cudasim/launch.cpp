/* SPDX-License-Identifier: Apache-2.0 */
/* Launches of kernels, within the limits of a device of compute capability 9.0. */
#include "kernel.h"

#include <map>
#include <string.h>

namespace cudasim {

function_limits &limits_of(const void *kernel)
{
    static std::map<const void *, function_limits> &all = *new std::map<const void *, function_limits>;
    return all[kernel];
}

static cudaError_t check_limits(const kernel_call &call)
{
    const dim3 &g = call.grid, &b = call.block;
    bool empty = g.x == 0 || g.y == 0 || g.z == 0 || b.x == 0 || b.y == 0 || b.z == 0;
    if (empty || g.x > 2147483647u || g.y > 65535 || g.z > 65535 || b.x > 1024 || b.y > 1024 || b.z > 64 ||
        (uint64_t)b.x * b.y * b.z > MOST_THREADS) {
        return cudaErrorInvalidConfiguration;
    }
    return call.shared_bytes > limits_of(call.kernel).dynamic_bytes ? cudaErrorInvalidValue : cudaSuccess;
}

static cudaError_t start(kernel_call call)
{
    check_unseen(call.name);
    if (call.parameter_bytes > MOST_PARAMETERS) {
        violation("argument", "kernel %s has %zu bytes of parameters, more than %d", call.name, call.parameter_bytes,
                  MOST_PARAMETERS);
    }
    cudaError_t error = check_limits(call);
    if (error != cudaSuccess) {
        return error;
    }
    auto kept = std::make_shared<std::vector<unsigned char>>((const unsigned char *)call.parameters,
                                                             (const unsigned char *)call.parameters + call.parameter_bytes +
                                                                 1);
    call.parameters = nullptr;
    return put(call.stream, OPERATION_KERNEL, call.name, [call, kept] { run_kernel(call, kept->data()); });
}

CUDASIM_PUBLIC void launch(const kernel_call &call)
{
    api_call entered(call.name);
    if (entered.refused()) {
        return;
    }
    cudaError_t error = failed(start(call));
    if (error != cudaSuccess) {
        this_thread().unseen = text("the launch of %s failed (%s)", call.name, cudaGetErrorName(error));
    }
}

} /* namespace cudasim */

using namespace cudasim;

extern "C" {

CUDASIM_PUBLIC cudaError_t cudaFuncSetAttribute(const void *func, enum cudaFuncAttribute what, int value)
{
    api_call call(__func__);
    if (call.refused()) {
        return call.error;
    }
    if (func == nullptr) {
        return failed(cudaErrorInvalidDeviceFunction);
    }
    if (what == cudaFuncAttributeMaxDynamicSharedMemorySize) {
        function_limits &limits = limits_of(func);
        if (value < 0 || (size_t)value + limits.static_bytes > OPTIN_SHARED) {
            return failed(cudaErrorInvalidValue);
        }
        limits.dynamic_bytes = (size_t)value;
        return cudaSuccess;
    }
    bool known = what == cudaFuncAttributePreferredSharedMemoryCarveout && value >= -1 && value <= 100;
    return failed(known ? cudaSuccess : cudaErrorInvalidValue);
}

CUDASIM_PUBLIC cudaError_t cudaFuncGetAttributes(struct cudaFuncAttributes *out, const void *func)
{
    api_call call(__func__);
    if (call.refused()) {
        return call.error;
    }
    if (out == nullptr || func == nullptr) {
        return failed(out == nullptr ? cudaErrorInvalidValue : cudaErrorInvalidDeviceFunction);
    }
    memset(out, 0, sizeof *out);
    out->sharedSizeBytes = limits_of(func).static_bytes;
    out->maxThreadsPerBlock = MOST_THREADS;
    out->numRegs = 32;
    out->ptxVersion = out->binaryVersion = 90;
    out->maxDynamicSharedSizeBytes = (int)limits_of(func).dynamic_bytes;
    return cudaSuccess;
}

/* As threads, blocks and shared memory allow; registers are not simulated. */
CUDASIM_PUBLIC cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int *out, const void *func, int block,
                                                                         size_t dynamic)
{
    api_call call(__func__);
    if (call.refused()) {
        return call.error;
    }
    if (out == nullptr || func == nullptr || block <= 0) {
        return failed(func == nullptr ? cudaErrorInvalidDeviceFunction : cudaErrorInvalidValue);
    }
    size_t shared = limits_of(func).static_bytes + dynamic + 1024;
    bool fits = block <= MOST_THREADS && dynamic <= limits_of(func).dynamic_bytes;
    int by_threads = 2048 / ((block + WARP - 1) / WARP * WARP), by_memory = (int)((size_t)(228 << 10) / shared);
    int least = by_threads < by_memory ? by_threads : by_memory;
    *out = !fits ? 0 : least < 32 ? least : 32;
    return cudaSuccess;
}

} /* extern "C" */
