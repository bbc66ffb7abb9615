/* SPDX-License-Identifier: Apache-2.0 */
/* What the simulated libraries share; see libraries.h. */
#include "libraries.h"

#include <string.h>

namespace cudasim {

/* ---- objects that live ---- */

void registry::add(const void *object)
{
    std::lock_guard<std::mutex> hold(guard);
    objects.insert(~(uintptr_t)object);
}

bool registry::remove(const void *object)
{
    std::lock_guard<std::mutex> hold(guard);
    return objects.erase(~(uintptr_t)object) != 0;
}

bool registry::has(const void *object)
{
    std::lock_guard<std::mutex> hold(guard);
    return objects.count(~(uintptr_t)object) != 0;
}

bool registry::check(const char *call, const void *object)
{
    if (object != nullptr && !has(object)) {
        violation("argument", "%s: %p is no %s, or was destroyed", call, object, kind);
        return false;
    }
    return object != nullptr;
}

/* ---- handles ---- */

bool open_library(library_handle *handle)
{
    handle->stream = nullptr;
    handle->device = current_device();
    handle->scalars_on_device = false;
    if (cudaMalloc(&handle->memory, 4096) != cudaSuccess) {
        cudaGetLastError(); /* what a library meets inside is not its caller's error */
        return false;
    }
    return true;
}

void close_library(library_handle *handle)
{
    cudaFree(handle->memory);
}

bool check_stream(const char *call, const library_handle *handle, cudaStream_t stream)
{
    if (!is_stream(stream)) {
        violation("argument", "%s: %p is no stream, or was destroyed", call, (void *)stream);
        return false;
    }
    int device = handle->device;
    if (stream != nullptr && stream != cudaStreamLegacy && stream != cudaStreamPerThread &&
        (cudaStreamGetDevice(stream, &device) != cudaSuccess || device != handle->device)) {
        violation("argument", "%s: the stream is of device %d, the handle of device %d", call, device, handle->device);
        return false;
    }
    return true;
}

bool check_ready(const char *call, const library_handle *handle)
{
    if (current_device() != handle->device) {
        violation("argument", "%s: the current device is %d, the handle's is %d", call, current_device(), handle->device);
        return false;
    }
    return check_stream(call, handle, handle->stream);
}

bool is_capturing(const library_handle *handle)
{
    cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
    return cudaStreamIsCapturing(handle->stream, &status) == cudaSuccess && status == cudaStreamCaptureStatusActive;
}

bool submit(const library_handle *handle, const char *call, std::function<void()> work)
{
    count(CUDASIM_LIBRARY_CALLS);
    return enqueue(handle->stream, call, std::move(work)) == cudaSuccess;
}

/* ---- scalars ---- */

bool scalar::load(const char *what)
{
    if (device == nullptr) {
        return true;
    }
    if (!device_read(device, wide ? sizeof(double) : sizeof(float), what)) {
        return false;
    }
    value = wide ? *(const double *)device : (double)*(const float *)device;
    return true;
}

static bool is_only_on_device(const void *p)
{
    cudaPointerAttributes attributes;
    memset(&attributes, 0, sizeof attributes);
    return cudaPointerGetAttributes(&attributes, p) == cudaSuccess && attributes.type == cudaMemoryTypeDevice;
}

bool take_scalar(const char *call, const char *name, const library_handle *handle, const void *from, bool wide, scalar *out)
{
    *out = {nullptr, wide, 0.0};
    if (handle->scalars_on_device) {
        if (!is_device_memory(from, wide ? sizeof(double) : sizeof(float))) {
            violation("argument", "%s: %s is %p, no device memory, where the pointer mode says device", call, name, from);
            return false;
        }
        out->device = from;
        return true;
    }
    if (is_only_on_device(from)) {
        violation("argument", "%s: %s is %p, device memory, where the pointer mode says host", call, name, from);
        return false;
    }
    out->value = wide ? *(const double *)from : (double)*(const float *)from;
    return true;
}

/* ---- pieces of matrices ---- */

static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && a < 0);
}

bool runs::overlaps(const runs &other) const
{
    if (empty() || other.empty() || from + extent() <= other.from || other.from + other.extent() <= from) {
        return false;
    }
    for (int64_t i = 0; i < count; i++) {
        int64_t start = from + i * pitch - other.from, end = start + (int64_t)bytes;
        /* the first of the other's runs that ends behind `start` */
        int64_t first = other.count == 1 ? (start < (int64_t)other.bytes ? 0 : 1)
                                         : floor_divide(start - (int64_t)other.bytes, other.pitch) + 1;
        first = first < 0 ? 0 : first;
        if (first < other.count && first * other.pitch < end) {
            return true;
        }
    }
    return false;
}

/* Asks for each run, or once for all where no gap is between them. */
template <class F> static bool for_each_run(const runs &r, F f)
{
    if (r.empty()) {
        return true;
    }
    if (r.count == 1 || r.pitch == (int64_t)r.bytes) {
        return f((char *)r.from, r.extent());
    }
    for (int64_t i = 0; i < r.count; i++) {
        if (!f((char *)r.from + i * r.pitch, r.bytes)) {
            return false;
        }
    }
    return true;
}

bool runs::readable(const char *what) const
{
    return for_each_run(*this, [what](char *p, size_t n) { return device_read(p, n, what); });
}

bool runs::writable(const char *what) const
{
    return for_each_run(*this, [what](char *p, size_t n) { return device_write(p, n, what); });
}

bool runs::check(const char *call, const char *what, size_t alignment) const
{
    if (empty()) {
        return true;
    }
    if ((uintptr_t)from % alignment != 0) {
        violation("misaligned", "%s: %s is %p, not aligned to %zu bytes", call, what, (const void *)from, alignment);
        return false;
    }
    if (!is_device_memory(from, extent())) {
        violation("argument", "%s: %s takes %zu bytes from %p on (%lld runs of %zu, %lld apart), not inside one allocation",
                  call, what, extent(), (const void *)from, (long long)count, bytes, (long long)pitch);
        return false;
    }
    return true;
}

bool scribble(void *to, size_t bytes, const char *what)
{
    if (bytes > 0 && !device_write(to, bytes, what)) {
        return false;
    }
    for (size_t i = 0; i < bytes; i++) {
        ((unsigned char *)to)[i] = (unsigned char)(i % 8 == 0 ? chance(256) : 0xff);
    }
    return true;
}

} /* namespace cudasim */
