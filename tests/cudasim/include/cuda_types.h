/* SPDX-License-Identifier: Apache-2.0 */
/* The types, values of enumerations and macros of the CUDA runtime that this project uses, with the names and values of CUDA
 * 13: what the toolkit's vector_types.h, driver_types.h and host_defines.h declare. For the simulated device; a build with
 * nvcc has the toolkit's. */
#ifndef CUDASIM_CUDA_TYPES_H
#define CUDASIM_CUDA_TYPES_H

#include <stddef.h>

#define CUDART_VERSION 13000
#define CUDARTAPI
#define CUDART_CB

/* ---- vector types ---- */

#define CUDASIM_VECTOR_1(base, type) typedef struct base##1 { type x; } base##1;
#define CUDASIM_VECTOR_2(base, type, align) \
    typedef struct __attribute__((aligned(align))) base##2 { type x, y; } base##2;
#define CUDASIM_VECTOR_3(base, type) typedef struct base##3 { type x, y, z; } base##3;
#define CUDASIM_VECTOR_4(base, type, align) \
    typedef struct __attribute__((aligned(align))) base##4 { type x, y, z, w; } base##4;
#define CUDASIM_VECTORS(base, type, align2, align4) \
    CUDASIM_VECTOR_1(base, type)                    \
    CUDASIM_VECTOR_2(base, type, align2)            \
    CUDASIM_VECTOR_3(base, type)                    \
    CUDASIM_VECTOR_4(base, type, align4)

CUDASIM_VECTORS(char, signed char, 2, 4)
CUDASIM_VECTORS(uchar, unsigned char, 2, 4)
CUDASIM_VECTORS(short, short, 4, 8)
CUDASIM_VECTORS(ushort, unsigned short, 4, 8)
CUDASIM_VECTORS(int, int, 8, 16)
CUDASIM_VECTORS(uint, unsigned int, 8, 16)
CUDASIM_VECTORS(longlong, long long, 16, 16)
CUDASIM_VECTORS(ulonglong, unsigned long long, 16, 16)
CUDASIM_VECTORS(float, float, 8, 16)
CUDASIM_VECTORS(double, double, 16, 16)

typedef struct dim3 {
    unsigned int x, y, z;
#ifdef __cplusplus
    constexpr dim3(unsigned int vx = 1, unsigned int vy = 1, unsigned int vz = 1) : x(vx), y(vy), z(vz) {}
    constexpr dim3(uint3 v) : x(v.x), y(v.y), z(v.z) {}
    constexpr operator uint3() const { return uint3{x, y, z}; }
#endif
} dim3;

/* ---- errors ---- */

/* CUDASIM_ERRORS(X) makes X(name, value, text) of each. */
#define CUDASIM_ERRORS(X)                                                                                   \
    X(cudaSuccess, 0, "no error")                                                                           \
    X(cudaErrorInvalidValue, 1, "invalid argument")                                                         \
    X(cudaErrorMemoryAllocation, 2, "out of memory")                                                        \
    X(cudaErrorInitializationError, 3, "initialization error")                                              \
    X(cudaErrorCudartUnloading, 4, "driver shutting down")                                                  \
    X(cudaErrorInvalidConfiguration, 9, "invalid configuration argument")                                   \
    X(cudaErrorInvalidPitchValue, 12, "invalid pitch argument")                                             \
    X(cudaErrorInvalidSymbol, 13, "invalid device symbol")                                                  \
    X(cudaErrorInvalidHostPointer, 16, "invalid host pointer")                                              \
    X(cudaErrorInvalidDevicePointer, 17, "invalid device pointer")                                          \
    X(cudaErrorInvalidMemcpyDirection, 21, "invalid copy direction for memcpy")                             \
    X(cudaErrorInsufficientDriver, 35, "CUDA driver version is insufficient for CUDA runtime version")      \
    X(cudaErrorMissingConfiguration, 52, "configuration is missing")                                        \
    X(cudaErrorInvalidDeviceFunction, 98, "invalid device function")                                        \
    X(cudaErrorNoDevice, 100, "no CUDA-capable device is detected")                                         \
    X(cudaErrorInvalidDevice, 101, "invalid device ordinal")                                                \
    X(cudaErrorDeviceUninitialized, 201, "invalid device context")                                          \
    X(cudaErrorNoKernelImageForDevice, 209, "no kernel image is available for execution on the device")     \
    X(cudaErrorECCUncorrectable, 214, "uncorrectable ECC error encountered")                                \
    X(cudaErrorInvalidResourceHandle, 400, "invalid resource handle")                                       \
    X(cudaErrorIllegalState, 401, "the operation cannot be performed in the present state")                 \
    X(cudaErrorSymbolNotFound, 500, "named symbol not found")                                               \
    X(cudaErrorNotReady, 600, "device not ready")                                                           \
    X(cudaErrorIllegalAddress, 700, "an illegal memory access was encountered")                             \
    X(cudaErrorLaunchOutOfResources, 701, "too many resources requested for launch")                        \
    X(cudaErrorLaunchTimeout, 702, "the launch timed out and was terminated")                               \
    X(cudaErrorAssert, 710, "device-side assert triggered")                                                 \
    X(cudaErrorHostMemoryAlreadyRegistered, 712, "part or all of the requested memory range is already mapped") \
    X(cudaErrorHostMemoryNotRegistered, 713, "pointer does not correspond to a registered memory region")   \
    X(cudaErrorMisalignedAddress, 716, "misaligned address")                                                \
    X(cudaErrorLaunchFailure, 719, "unspecified launch failure")                                            \
    X(cudaErrorNotPermitted, 800, "operation not permitted")                                                \
    X(cudaErrorNotSupported, 801, "operation not supported")                                                \
    X(cudaErrorStreamCaptureUnsupported, 900, "operation not permitted when stream is capturing")           \
    X(cudaErrorStreamCaptureInvalidated, 901, "operation failed due to a previous error during capture")    \
    X(cudaErrorStreamCaptureMerge, 902, "operation would result in a merge of separate capture sequences")  \
    X(cudaErrorStreamCaptureUnmatched, 903, "capture was not ended in the same stream as it began")         \
    X(cudaErrorStreamCaptureUnjoined, 904, "capturing stream has unjoined work")                            \
    X(cudaErrorStreamCaptureIsolation, 905, "dependency created on uncaptured work in another stream")      \
    X(cudaErrorStreamCaptureImplicit, 906, "operation would make the legacy stream depend on a capturing blocking stream") \
    X(cudaErrorCapturedEvent, 907, "operation not permitted on an event last recorded in a capturing stream") \
    X(cudaErrorStreamCaptureWrongThread, 908, "attempt to terminate a thread-local capture sequence from another thread") \
    X(cudaErrorUnknown, 999, "unknown error")

#define CUDASIM_ERROR_VALUE(name, value, text) name = value,
enum cudaError { CUDASIM_ERRORS(CUDASIM_ERROR_VALUE) cudaErrorApiFailureBase = 10000 };
typedef enum cudaError cudaError_t;
#undef CUDASIM_ERROR_VALUE

/* ---- handles ---- */

typedef struct CUstream_st *cudaStream_t;
typedef struct CUevent_st *cudaEvent_t;
typedef struct CUgraph_st *cudaGraph_t;
typedef struct CUgraphNode_st *cudaGraphNode_t;
typedef struct CUgraphExec_st *cudaGraphExec_t;
typedef struct CUmemPoolHandle_st *cudaMemPool_t;
typedef void(CUDART_CB *cudaHostFn_t)(void *userData);

#define cudaStreamLegacy ((cudaStream_t)0x1)
#define cudaStreamPerThread ((cudaStream_t)0x2)
enum { cudaStreamDefault = 0x00, cudaStreamNonBlocking = 0x01 };
enum { cudaEventDefault = 0x00, cudaEventBlockingSync = 0x01, cudaEventDisableTiming = 0x02, cudaEventInterprocess = 0x04 };
enum {
    cudaEventRecordDefault = 0x00,
    cudaEventRecordExternal = 0x01,
    cudaEventWaitDefault = 0x00,
    cudaEventWaitExternal = 0x01
};
enum {
    cudaHostAllocDefault = 0x00,
    cudaHostAllocPortable = 0x01,
    cudaHostAllocMapped = 0x02,
    cudaHostAllocWriteCombined = 0x04
};
enum {
    cudaHostRegisterDefault = 0x00,
    cudaHostRegisterPortable = 0x01,
    cudaHostRegisterMapped = 0x02,
    cudaHostRegisterReadOnly = 0x08
};

/* ---- enumerations ---- */

enum cudaMemcpyKind {
    cudaMemcpyHostToHost = 0, cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost = 2, cudaMemcpyDeviceToDevice = 3,
    cudaMemcpyDefault = 4
};
enum cudaMemoryType {
    cudaMemoryTypeUnregistered = 0, cudaMemoryTypeHost = 1, cudaMemoryTypeDevice = 2, cudaMemoryTypeManaged = 3
};
enum cudaFuncAttribute {
    cudaFuncAttributeMaxDynamicSharedMemorySize = 8, cudaFuncAttributePreferredSharedMemoryCarveout = 9,
    cudaFuncAttributeMax = 16
};
enum cudaStreamCaptureStatus {
    cudaStreamCaptureStatusNone = 0, cudaStreamCaptureStatusActive = 1, cudaStreamCaptureStatusInvalidated = 2
};
enum cudaStreamCaptureMode {
    cudaStreamCaptureModeGlobal = 0, cudaStreamCaptureModeThreadLocal = 1, cudaStreamCaptureModeRelaxed = 2
};
enum cudaGraphNodeType {
    cudaGraphNodeTypeKernel = 0x00,
    cudaGraphNodeTypeMemcpy = 0x01,
    cudaGraphNodeTypeMemset = 0x02,
    cudaGraphNodeTypeHost = 0x03,
    cudaGraphNodeTypeGraph = 0x04,
    cudaGraphNodeTypeEmpty = 0x05,
    cudaGraphNodeTypeWaitEvent = 0x06,
    cudaGraphNodeTypeEventRecord = 0x07
};
enum cudaDeviceAttr {
    cudaDevAttrMaxThreadsPerBlock = 1,
    cudaDevAttrMaxBlockDimX = 2,
    cudaDevAttrMaxBlockDimY = 3,
    cudaDevAttrMaxBlockDimZ = 4,
    cudaDevAttrMaxGridDimX = 5,
    cudaDevAttrMaxGridDimY = 6,
    cudaDevAttrMaxGridDimZ = 7,
    cudaDevAttrMaxSharedMemoryPerBlock = 8,
    cudaDevAttrTotalConstantMemory = 9,
    cudaDevAttrWarpSize = 10,
    cudaDevAttrMaxRegistersPerBlock = 12,
    cudaDevAttrClockRate = 13,
    cudaDevAttrMultiProcessorCount = 16,
    cudaDevAttrIntegrated = 18,
    cudaDevAttrCanMapHostMemory = 19,
    cudaDevAttrConcurrentKernels = 31,
    cudaDevAttrMemoryClockRate = 36,
    cudaDevAttrGlobalMemoryBusWidth = 37,
    cudaDevAttrL2CacheSize = 38,
    cudaDevAttrMaxThreadsPerMultiProcessor = 39,
    cudaDevAttrAsyncEngineCount = 40,
    cudaDevAttrUnifiedAddressing = 41,
    cudaDevAttrComputeCapabilityMajor = 75,
    cudaDevAttrComputeCapabilityMinor = 76,
    cudaDevAttrMaxSharedMemoryPerMultiprocessor = 81,
    cudaDevAttrMaxRegistersPerMultiprocessor = 82,
    cudaDevAttrManagedMemory = 83,
    cudaDevAttrPageableMemoryAccess = 88,
    cudaDevAttrConcurrentManagedAccess = 89,
    cudaDevAttrCooperativeLaunch = 95,
    cudaDevAttrMaxSharedMemoryPerBlockOptin = 97,
    cudaDevAttrMaxBlocksPerMultiprocessor = 106,
    cudaDevAttrReservedSharedMemoryPerBlock = 111,
    cudaDevAttrMemoryPoolsSupported = 115
};

/* ---- structures: of the toolkit's the members that are simulated ---- */

struct cudaDeviceProp {
    char name[256];
    size_t totalGlobalMem, sharedMemPerBlock;
    int regsPerBlock, warpSize;
    int maxThreadsPerBlock, maxThreadsDim[3], maxGridSize[3];
    size_t totalConstMem;
    int major, minor;
    int multiProcessorCount, integrated, canMapHostMemory, concurrentKernels, asyncEngineCount, unifiedAddressing;
    int memoryBusWidth, l2CacheSize, maxThreadsPerMultiProcessor;
    size_t sharedMemPerMultiprocessor;
    int regsPerMultiprocessor, managedMemory, cooperativeLaunch;
    size_t sharedMemPerBlockOptin;
    int maxBlocksPerMultiProcessor;
    size_t reservedSharedMemPerBlock;
    int memoryPoolsSupported;
};

struct cudaPointerAttributes {
    enum cudaMemoryType type;
    int device;
    void *devicePointer, *hostPointer;
    long reserved[8];
};

struct cudaFuncAttributes {
    size_t sharedSizeBytes, constSizeBytes, localSizeBytes;
    int maxThreadsPerBlock, numRegs, ptxVersion, binaryVersion, cacheModeCA, maxDynamicSharedSizeBytes,
        preferredShmemCarveout;
};

#endif
