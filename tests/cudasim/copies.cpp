/* SPDX-License-Identifier: Apache-2.0 */
/* Copies and fills. What comes from pageable memory of the host is read at the call, what goes there is waited for; pinned
 * memory is touched when the operation runs. */
#include "queue.h"
#include "races.h"

#include <string.h>

namespace cudasim {

enum place { PAGEABLE, PINNED, DEVICE, NOWHERE };

/* Rows of `width` bytes, `pitch` apart. */
struct rows {
    char *data;
    size_t pitch, width, height;
    size_t span() const { return height == 0 || width == 0 ? 0 : (height - 1) * pitch + width; }
    char *row(size_t i) const { return data + i * pitch; }
};

static place place_of(const rows &r)
{
    if (is_registered(r.data, r.span())) {
        return PINNED;
    }
    if (!in_arena(r.data)) {
        return PAGEABLE;
    }
    const allocation *a = allocation_at(r.data);
    return a == nullptr || !is_device_memory(r.data, r.span()) ? NOWHERE : a->kind == MEMORY_DEVICE ? DEVICE : PINNED;
}

static bool is_direction(place to, place from, cudaMemcpyKind kind)
{
    switch (kind) {
    case cudaMemcpyHostToHost: return to != DEVICE && from != DEVICE;
    case cudaMemcpyHostToDevice: return to == DEVICE && from != DEVICE;
    case cudaMemcpyDeviceToHost: return to != DEVICE && from == DEVICE;
    case cudaMemcpyDeviceToDevice: return to == DEVICE && from == DEVICE;
    case cudaMemcpyDefault: return true;
    }
    return false;
}

/* Queued: row after row. Copied device memory may be written in part, and so is the copy. */
static void copy_rows(const rows &to, place to_place, const rows &from, place from_place, const char *name)
{
    for (size_t i = 0; i < to.height; i++) {
        bool parts = to_place == DEVICE && from_place == DEVICE;
        if (from_place != PAGEABLE &&
            !(parts ? device_copied(from.row(i), from.width, name) : device_read(from.row(i), from.width, name))) {
            return;
        }
        if (to_place != PAGEABLE && !device_write(to.row(i), to.width, name)) {
            return;
        }
        memmove(to.row(i), from.row(i), to.width);
        if (parts) {
            copy_written(to.row(i), from.row(i), to.width);
        }
    }
}

static bool overlap(const rows &a, const rows &b)
{
    return a.data < b.data + b.span() && b.data < a.data + a.span();
}

/* wait: the call is not asynchronous, wherever the memory is. */
static cudaError_t copy(rows to, rows from, cudaMemcpyKind kind, cudaStream_t stream, bool wait, const char *name)
{
    if (kind < cudaMemcpyHostToHost || kind > cudaMemcpyDefault) {
        return cudaErrorInvalidMemcpyDirection;
    }
    if (to.pitch < to.width || from.pitch < from.width) {
        return cudaErrorInvalidPitchValue;
    }
    if (to.span() == 0) {
        return cudaSuccess;
    }
    place to_place = place_of(to), from_place = place_of(from);
    if (to_place == NOWHERE || from_place == NOWHERE || to.data == nullptr || from.data == nullptr) {
        return cudaErrorInvalidValue;
    }
    if (!is_direction(to_place, from_place, kind) || overlap(to, from)) {
        violation("argument", "%s: %s", name,
                  overlap(to, from) ? "source and destination overlap" : "the direction is not that of the pointers");
        return cudaErrorInvalidValue;
    }
    cudaStream_t real = stream_of(stream);
    bool staged = from_place == PAGEABLE && to_place == DEVICE;
    wait = wait || to_place == PAGEABLE || (from_place == PAGEABLE && to_place != DEVICE);
    if (staged && real != nullptr && real->capture != nullptr) {
        return break_capture(real->capture, cudaErrorStreamCaptureUnsupported);
    }
    auto kept = std::make_shared<std::vector<char>>();
    if (staged) {
        kept->resize(from.width * from.height);
        for (size_t i = 0; i < from.height; i++) {
            memcpy(kept->data() + i * from.width, from.row(i), from.width);
        }
        from = {kept->data(), from.width, from.width, from.height};
    }
    operation_ref o;
    cudaError_t error = put(
        stream, OPERATION_COPY, name,
        [to, to_place, from, from_place, name, kept] { copy_rows(to, to_place, from, from_place, name); },
        wait ? &o : nullptr);
    if (error == cudaSuccess && wait) {
        count(CUDASIM_WAITS);
        wait_for(o);
        return sticky_error;
    }
    return error;
}

static cudaError_t fill(rows to, int value, cudaStream_t stream, const char *name)
{
    if (to.pitch < to.width) {
        return cudaErrorInvalidPitchValue;
    }
    if (to.span() == 0) {
        return cudaSuccess;
    }
    place where = place_of(to);
    if (where != DEVICE && where != PINNED) {
        return cudaErrorInvalidValue;
    }
    return put(stream, OPERATION_COPY, name, [to, value, name] {
        for (size_t i = 0; i < to.height && device_write(to.row(i), to.width, name); i++) {
            memset(to.row(i), value, to.width);
        }
    });
}

/* What waits on the legacy stream is not allowed beside a capture. */
static cudaError_t copy_and_wait(const rows &to, const rows &from, cudaMemcpyKind kind, const char *name)
{
    cudaError_t error = check_implicit(stream_of(nullptr));
    error = error == cudaSuccess ? check_unsafe() : error;
    return error != cudaSuccess ? error : copy(to, from, kind, nullptr, true, name);
}

static rows of(const void *data, size_t pitch, size_t width, size_t height)
{
    return {(char *)(uintptr_t)data, pitch, width, height};
}

} /* namespace cudasim */

using namespace cudasim;

extern "C" {

CUDASIM_PUBLIC cudaError_t cudaMemcpy(void *dst, const void *src, size_t count, enum cudaMemcpyKind kind)
{
    api_call call(__func__);
    return call.refused() ? call.error
                          : failed(copy_and_wait(of(dst, count, count, 1), of(src, count, count, 1), kind, __func__));
}

CUDASIM_PUBLIC cudaError_t cudaMemcpyAsync(void *dst, const void *src, size_t count, enum cudaMemcpyKind kind,
                                           cudaStream_t stream)
{
    api_call call(__func__);
    return call.refused() ? call.error
                          : failed(copy(of(dst, count, count, 1), of(src, count, count, 1), kind, stream, false, __func__));
}

CUDASIM_PUBLIC cudaError_t cudaMemcpy2D(void *dst, size_t dpitch, const void *src, size_t spitch, size_t width,
                                        size_t height, enum cudaMemcpyKind kind)
{
    api_call call(__func__);
    return call.refused()
               ? call.error
               : failed(copy_and_wait(of(dst, dpitch, width, height), of(src, spitch, width, height), kind, __func__));
}

CUDASIM_PUBLIC cudaError_t cudaMemcpy2DAsync(void *dst, size_t dpitch, const void *src, size_t spitch, size_t width,
                                             size_t height, enum cudaMemcpyKind kind, cudaStream_t stream)
{
    api_call call(__func__);
    return call.refused()
               ? call.error
               : failed(copy(of(dst, dpitch, width, height), of(src, spitch, width, height), kind, stream, false, __func__));
}

CUDASIM_PUBLIC cudaError_t cudaMemset(void *to, int value, size_t count)
{
    api_call call(__func__);
    return call.refused() ? call.error : failed(fill(of(to, count, count, 1), value, nullptr, __func__));
}

CUDASIM_PUBLIC cudaError_t cudaMemsetAsync(void *to, int value, size_t count, cudaStream_t stream)
{
    api_call call(__func__);
    return call.refused() ? call.error : failed(fill(of(to, count, count, 1), value, stream, __func__));
}

CUDASIM_PUBLIC cudaError_t cudaMemset2DAsync(void *to, size_t pitch, int value, size_t width, size_t height,
                                             cudaStream_t stream)
{
    api_call call(__func__);
    return call.refused() ? call.error : failed(fill(of(to, pitch, width, height), value, stream, __func__));
}

} /* extern "C" */
