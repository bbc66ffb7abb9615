/* SPDX-License-Identifier: Apache-2.0 */
/* The runtime's functions for memory. Freeing waits for the device, as a device's does. */
#include "queue.h"

namespace cudasim {

static cudaError_t make(void **out, size_t bytes, memory_kind kind)
{
    if (out == nullptr) {
        return cudaErrorInvalidValue;
    }
    cudaError_t error = check_unsafe();
    if (error != cudaSuccess) {
        return error;
    }
    if (bytes == 0) {
        *out = nullptr;
        return cudaSuccess;
    }
    count(CUDASIM_ALLOCATIONS);
    allocation *a = allocate(kind, bytes);
    if (a == nullptr) {
        return cudaErrorMemoryAllocation;
    }
    *out = a->start;
    return cudaSuccess;
}

static cudaError_t unmake(void *p, memory_kind kind)
{
    if (p == nullptr) {
        return cudaSuccess;
    }
    cudaError_t error = check_unsafe();
    if (error != cudaSuccess) {
        return error;
    }
    allocation *a = allocation_from(p);
    if (a == nullptr || a->kind != kind) {
        return cudaErrorInvalidValue;
    }
    count(CUDASIM_WAITS);
    wait_for_all();
    if (sticky_error == cudaSuccess) {
        release(a);
    }
    return sticky_error;
}

} /* namespace cudasim */

using namespace cudasim;

extern "C" {

CUDASIM_PUBLIC cudaError_t cudaMalloc(void **out, size_t bytes)
{
    api_call call(__func__);
    return call.refused() ? call.error : failed(make(out, bytes, MEMORY_DEVICE));
}

CUDASIM_PUBLIC cudaError_t cudaFree(void *p)
{
    api_call call(__func__);
    return call.refused() ? call.error : failed(unmake(p, MEMORY_DEVICE));
}

CUDASIM_PUBLIC cudaError_t cudaHostAlloc(void **out, size_t bytes, unsigned int flags)
{
    api_call call(__func__);
    if (call.refused()) {
        return call.error;
    }
    return failed(flags > 7 ? cudaErrorInvalidValue : make(out, bytes, MEMORY_PINNED));
}

CUDASIM_PUBLIC cudaError_t cudaMallocHost(void **out, size_t bytes)
{
    return cudaHostAlloc(out, bytes, cudaHostAllocDefault);
}

CUDASIM_PUBLIC cudaError_t cudaFreeHost(void *p)
{
    api_call call(__func__);
    return call.refused() ? call.error : failed(unmake(p, MEMORY_PINNED));
}

CUDASIM_PUBLIC cudaError_t cudaHostRegister(void *p, size_t bytes, unsigned int flags)
{
    api_call call(__func__);
    if (call.refused()) {
        return call.error;
    }
    if (p == nullptr || bytes == 0 || in_arena(p) || flags > 15) {
        return failed(cudaErrorInvalidValue);
    }
    return failed(register_memory(p, bytes) ? cudaSuccess : cudaErrorHostMemoryAlreadyRegistered);
}

CUDASIM_PUBLIC cudaError_t cudaHostUnregister(void *p)
{
    api_call call(__func__);
    if (call.refused()) {
        return call.error;
    }
    count(CUDASIM_WAITS);
    wait_for_all();
    return failed(unregister_memory(p) ? cudaSuccess : cudaErrorHostMemoryNotRegistered);
}

CUDASIM_PUBLIC cudaError_t cudaHostGetDevicePointer(void **out, void *p, unsigned int flags)
{
    api_call call(__func__);
    if (call.refused()) {
        return call.error;
    }
    const allocation *a = allocation_at(p);
    bool pinned = a != nullptr ? a->live && a->kind == MEMORY_PINNED : is_registered(p, 1);
    if (out == nullptr || flags != 0 || !pinned) {
        return failed(cudaErrorInvalidValue);
    }
    *out = p;
    return cudaSuccess;
}

/* Memory is there at once; other streams must be made to wait as for anything else. */
CUDASIM_PUBLIC cudaError_t cudaMallocAsync(void **out, size_t bytes, cudaStream_t handle)
{
    api_call call(__func__);
    if (call.refused()) {
        return call.error;
    }
    cudaStream_t stream = stream_of(handle);
    if (stream != nullptr && stream->capture != nullptr) {
        return failed(break_capture(stream->capture, cudaErrorStreamCaptureUnsupported)); /* such nodes are not simulated */
    }
    cudaError_t error = put(handle, OPERATION_MARK, __func__, nullptr);
    if (error != cudaSuccess || out == nullptr) {
        return failed(error != cudaSuccess ? error : cudaErrorInvalidValue);
    }
    count(CUDASIM_ALLOCATIONS);
    allocation *a = bytes == 0 ? nullptr : allocate(MEMORY_DEVICE, bytes);
    *out = a == nullptr ? nullptr : a->start;
    return failed(a == nullptr && bytes > 0 ? cudaErrorMemoryAllocation : cudaSuccess);
}

CUDASIM_PUBLIC cudaError_t cudaFreeAsync(void *p, cudaStream_t handle)
{
    api_call call(__func__);
    if (call.refused()) {
        return call.error;
    }
    cudaStream_t stream = stream_of(handle);
    allocation *a = allocation_from(p);
    if (p == nullptr) {
        return cudaSuccess;
    }
    if (a == nullptr || a->kind != MEMORY_DEVICE) {
        return failed(cudaErrorInvalidValue);
    }
    if (stream != nullptr && stream->capture != nullptr) {
        return failed(break_capture(stream->capture, cudaErrorStreamCaptureUnsupported));
    }
    return failed(put(handle, OPERATION_MARK, __func__, [a] {
        if (device_write(a->start, a->bytes, "cudaFreeAsync")) {
            release(a);
        }
    }));
}

CUDASIM_PUBLIC cudaError_t cudaMemGetInfo(size_t *free, size_t *total)
{
    api_call call(__func__);
    if (call.refused()) {
        return call.error;
    }
    if (free == nullptr || total == nullptr) {
        return failed(cudaErrorInvalidValue);
    }
    *free = memory_limit > memory_in_use ? memory_limit - memory_in_use : 0;
    *total = memory_limit;
    return cudaSuccess;
}

CUDASIM_PUBLIC cudaError_t cudaPointerGetAttributes(struct cudaPointerAttributes *attributes, const void *p)
{
    api_call call(__func__);
    if (call.refused()) {
        return call.error;
    }
    if (attributes == nullptr) {
        return failed(cudaErrorInvalidValue);
    }
    *attributes = {};
    void *address = (void *)(uintptr_t)p;
    const allocation *a = allocation_at(p);
    bool inside = a != nullptr && a->live && (size_t)((const char *)p - a->start) < a->bytes;
    if (inside && a->kind == MEMORY_DEVICE) {
        *attributes = {cudaMemoryTypeDevice, a->device, address, nullptr, {}};
    } else if (inside || is_registered(p, 1)) {
        *attributes = {cudaMemoryTypeHost, inside ? a->device : this_thread().device, address, address, {}};
    } else {
        *attributes = {cudaMemoryTypeUnregistered, -2, nullptr, address, {}}; /* -2: cudaInvalidDeviceId */
    }
    return cudaSuccess;
}

} /* extern "C" */
