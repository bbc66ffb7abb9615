/* SPDX-License-Identifier: Apache-2.0 */
/* The devices: of compute capability 9.0, with the limits of one and few multiprocessors. */
#include "state.h"

#include <string.h>

namespace cudasim {

static cudaDeviceProp properties()
{
    cudaDeviceProp p;
    memset(&p, 0, sizeof p);
    strcpy(p.name, "simulated device");
    p.totalGlobalMem = memory_limit;
    p.sharedMemPerBlock = STATIC_SHARED;
    p.regsPerBlock = 65536;
    p.warpSize = WARP;
    p.maxThreadsPerBlock = MOST_THREADS;
    p.maxThreadsDim[0] = p.maxThreadsDim[1] = 1024;
    p.maxThreadsDim[2] = 64;
    p.maxGridSize[0] = 2147483647;
    p.maxGridSize[1] = p.maxGridSize[2] = 65535;
    p.totalConstMem = 65536;
    p.major = 9;
    p.minor = 0;
    p.multiProcessorCount = MULTIPROCESSORS;
    p.canMapHostMemory = p.concurrentKernels = p.unifiedAddressing = 1;
    p.asyncEngineCount = 3;
    p.memoryBusWidth = 5120;
    p.l2CacheSize = 50 << 20;
    p.maxThreadsPerMultiProcessor = 2048;
    p.sharedMemPerMultiprocessor = 228 << 10;
    p.regsPerMultiprocessor = 65536;
    p.cooperativeLaunch = p.memoryPoolsSupported = 1;
    p.sharedMemPerBlockOptin = OPTIN_SHARED;
    p.maxBlocksPerMultiProcessor = 32;
    p.reservedSharedMemPerBlock = 1 << 10;
    return p;
}

/* -1: there is no such attribute here. */
static int attribute(const cudaDeviceProp &p, cudaDeviceAttr what)
{
    switch (what) {
    case cudaDevAttrMaxThreadsPerBlock: return p.maxThreadsPerBlock;
    case cudaDevAttrMaxBlockDimX: return p.maxThreadsDim[0];
    case cudaDevAttrMaxBlockDimY: return p.maxThreadsDim[1];
    case cudaDevAttrMaxBlockDimZ: return p.maxThreadsDim[2];
    case cudaDevAttrMaxGridDimX: return p.maxGridSize[0];
    case cudaDevAttrMaxGridDimY: return p.maxGridSize[1];
    case cudaDevAttrMaxGridDimZ: return p.maxGridSize[2];
    case cudaDevAttrMaxSharedMemoryPerBlock: return (int)p.sharedMemPerBlock;
    case cudaDevAttrTotalConstantMemory: return (int)p.totalConstMem;
    case cudaDevAttrWarpSize: return p.warpSize;
    case cudaDevAttrMaxRegistersPerBlock: return p.regsPerBlock;
    case cudaDevAttrClockRate: return 1980000; /* kHz */
    case cudaDevAttrMultiProcessorCount: return p.multiProcessorCount;
    case cudaDevAttrIntegrated: return p.integrated;
    case cudaDevAttrCanMapHostMemory: return p.canMapHostMemory;
    case cudaDevAttrConcurrentKernels: return p.concurrentKernels;
    case cudaDevAttrMemoryClockRate: return 2619000; /* kHz */
    case cudaDevAttrGlobalMemoryBusWidth: return p.memoryBusWidth;
    case cudaDevAttrL2CacheSize: return p.l2CacheSize;
    case cudaDevAttrMaxThreadsPerMultiProcessor: return p.maxThreadsPerMultiProcessor;
    case cudaDevAttrAsyncEngineCount: return p.asyncEngineCount;
    case cudaDevAttrUnifiedAddressing: return p.unifiedAddressing;
    case cudaDevAttrComputeCapabilityMajor: return p.major;
    case cudaDevAttrComputeCapabilityMinor: return p.minor;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor: return (int)p.sharedMemPerMultiprocessor;
    case cudaDevAttrMaxRegistersPerMultiprocessor: return p.regsPerMultiprocessor;
    case cudaDevAttrManagedMemory: return p.managedMemory;
    case cudaDevAttrPageableMemoryAccess: return 0;
    case cudaDevAttrConcurrentManagedAccess: return 0;
    case cudaDevAttrCooperativeLaunch: return p.cooperativeLaunch;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin: return (int)p.sharedMemPerBlockOptin;
    case cudaDevAttrMaxBlocksPerMultiprocessor: return p.maxBlocksPerMultiProcessor;
    case cudaDevAttrReservedSharedMemoryPerBlock: return (int)p.reservedSharedMemPerBlock;
    case cudaDevAttrMemoryPoolsSupported: return p.memoryPoolsSupported;
    }
    return -1;
}

static bool is_device(int device)
{
    return device >= 0 && device < device_count;
}

} /* namespace cudasim */

using namespace cudasim;

extern "C" {

CUDASIM_PUBLIC cudaError_t cudaGetDeviceCount(int *count)
{
    api_call call(__func__);
    if (count == nullptr) {
        return failed(cudaErrorInvalidValue);
    }
    *count = device_count;
    return call.error;
}

CUDASIM_PUBLIC cudaError_t cudaGetDevice(int *device)
{
    api_call call(__func__);
    if (call.refused()) {
        return call.error;
    }
    if (device == nullptr) {
        return failed(cudaErrorInvalidValue);
    }
    *device = this_thread().device;
    return cudaSuccess;
}

CUDASIM_PUBLIC cudaError_t cudaSetDevice(int device)
{
    api_call call(__func__);
    if (call.refused()) {
        return call.error;
    }
    if (!is_device(device)) {
        return failed(cudaErrorInvalidDevice);
    }
    this_thread().device = device;
    return cudaSuccess;
}

CUDASIM_PUBLIC cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *prop, int device)
{
    api_call call(__func__);
    if (call.refused()) {
        return call.error;
    }
    if (prop == nullptr || !is_device(device)) {
        return failed(prop == nullptr ? cudaErrorInvalidValue : cudaErrorInvalidDevice);
    }
    *prop = properties();
    return cudaSuccess;
}

CUDASIM_PUBLIC cudaError_t cudaDeviceGetAttribute(int *value, enum cudaDeviceAttr what, int device)
{
    api_call call(__func__);
    if (call.refused()) {
        return call.error;
    }
    if (!is_device(device)) {
        return failed(cudaErrorInvalidDevice);
    }
    int is = attribute(properties(), what);
    if (value == nullptr || is < 0) {
        return failed(cudaErrorInvalidValue);
    }
    *value = is;
    return cudaSuccess;
}

CUDASIM_PUBLIC cudaError_t cudaDeviceGetStreamPriorityRange(int *least, int *greatest)
{
    api_call call(__func__);
    if (call.refused()) {
        return call.error;
    }
    if (least != nullptr) {
        *least = 0;
    }
    if (greatest != nullptr) {
        *greatest = 0;
    }
    return cudaSuccess;
}

CUDASIM_PUBLIC cudaError_t cudaRuntimeGetVersion(int *version)
{
    if (version == nullptr) {
        return failed(cudaErrorInvalidValue);
    }
    *version = CUDART_VERSION;
    return cudaSuccess;
}

CUDASIM_PUBLIC cudaError_t cudaDriverGetVersion(int *version)
{
    return cudaRuntimeGetVersion(version);
}

} /* extern "C" */
