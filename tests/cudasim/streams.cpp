/* SPDX-License-Identifier: Apache-2.0 */
/* Streams: an operation waits for the one before it in its stream, and by the rules of the legacy default stream. */
#include "queue.h"

#include <algorithm>

namespace cudasim {

/* Those that were destroyed too: their work may not be done yet. */
std::vector<cudaStream_t> &all_streams()
{
    static std::vector<cudaStream_t> &streams = *new std::vector<cudaStream_t>;
    return streams;
}

static cudaStream_t new_stream(unsigned flags, bool is_default, bool legacy)
{
    cudaStream_t stream = new CUstream_st;
    stream->device = this_thread().device;
    stream->flags = flags;
    stream->is_default = is_default;
    stream->legacy = legacy;
    stream->blocking = (flags & cudaStreamNonBlocking) == 0;
    stream->lane = new_lane();
    all_streams().push_back(stream);
    return stream;
}

static cudaStream_t legacy_stream()
{
    static std::vector<cudaStream_t> &legacy = *new std::vector<cudaStream_t>;
    size_t device = (size_t)this_thread().device;
    if (legacy.size() <= device) {
        legacy.resize(device + 1);
    }
    if (legacy[device] == nullptr) {
        legacy[device] = new_stream(0, true, true);
    }
    return legacy[device];
}

/* Whether it is one of those that no program makes. */
bool is_default(cudaStream_t handle)
{
    return handle == nullptr || handle == cudaStreamLegacy || handle == cudaStreamPerThread;
}

cudaStream_t stream_of(cudaStream_t handle)
{
    if (handle == cudaStreamPerThread) {
        cudaStream_t &own = this_thread().default_stream;
        return own != nullptr ? own : own = new_stream(0, true, false);
    }
    if (is_default(handle)) {
        return legacy_stream();
    }
    const std::vector<cudaStream_t> &streams = all_streams();
    return std::find(streams.begin(), streams.end(), handle) != streams.end() && handle->live ? handle : nullptr;
}

CUDASIM_PUBLIC bool is_stream(cudaStream_t handle)
{
    guard hold(lock);
    return stream_of(handle) != nullptr;
}

operation_ref append(cudaStream_t stream, operation_kind kind, const std::string &what, std::function<void()> work,
                     const std::vector<operation_ref> &also)
{
    std::vector<operation_ref> after = also;
    after.push_back(stream->last);
    if (stream->blocking) {
        for (cudaStream_t other : all_streams()) {
            if (other != stream && other->blocking && other->device == stream->device && (stream->legacy || other->legacy)) {
                after.push_back(other->last);
            }
        }
    }
    join(&stream->known, host_known);
    for (const operation_ref &before : after) {
        if (before != nullptr) {
            join(&stream->known, before->known);
        }
    }
    reach(&stream->known, stream->lane, ++stream->number);
    operation_ref o = std::make_shared<operation>();
    o->kind = kind;
    o->what = what;
    o->work = std::move(work);
    o->lane = stream->lane;
    o->number = stream->number;
    o->known = stream->known;
    submit(o, after);
    stream->last = o;
    return o;
}

void count_work(operation_kind kind, cudaStream_t handle)
{
    count(CUDASIM_CALLS);
    if (is_default(handle)) {
        count(CUDASIM_DEFAULT_STREAM);
    }
    if (kind == OPERATION_KERNEL) {
        count(CUDASIM_LAUNCHES);
    } else if (kind == OPERATION_COPY) {
        count(CUDASIM_COPIES);
    }
}

cudaError_t put(cudaStream_t handle, operation_kind kind, const std::string &what, std::function<void()> work,
                operation_ref *out)
{
    check_unseen(what.c_str());
    cudaStream_t stream = stream_of(handle);
    if (stream == nullptr || stream->device != this_thread().device) {
        return cudaErrorInvalidResourceHandle;
    }
    if (stream->capture != nullptr) {
        return out != nullptr ? break_capture(stream->capture, cudaErrorStreamCaptureUnsupported)
                              : add_node(stream, kind, what, std::move(work));
    }
    cudaError_t error = check_implicit(stream);
    if (error != cudaSuccess) {
        return error;
    }
    count_work(kind, handle);
    operation_ref o = append(stream, kind, what, std::move(work));
    if (out != nullptr) {
        *out = o;
    }
    return cudaSuccess;
}

CUDASIM_PUBLIC cudaError_t enqueue(cudaStream_t stream, const char *what, std::function<void()> work)
{
    guard hold(lock);
    if (sticky_error != cudaSuccess) {
        return sticky_error;
    }
    return put(stream, OPERATION_LIBRARY, what, std::move(work));
}

CUDASIM_PUBLIC int current_device()
{
    return this_thread().device;
}

} /* namespace cudasim */

using namespace cudasim;

extern "C" {

CUDASIM_PUBLIC cudaError_t cudaStreamCreateWithPriority(cudaStream_t *out, unsigned int flags, int priority)
{
    api_call call(__func__);
    if (call.refused()) {
        return call.error;
    }
    if (out == nullptr || (flags & ~(unsigned)cudaStreamNonBlocking) != 0) {
        return failed(cudaErrorInvalidValue);
    }
    (void)priority; /* any is allowed, and brought into the device's range, which is 0 */
    *out = new_stream(flags, false, false);
    return cudaSuccess;
}

CUDASIM_PUBLIC cudaError_t cudaStreamCreateWithFlags(cudaStream_t *out, unsigned int flags)
{
    return cudaStreamCreateWithPriority(out, flags, 0);
}

CUDASIM_PUBLIC cudaError_t cudaStreamCreate(cudaStream_t *out)
{
    return cudaStreamCreateWithPriority(out, cudaStreamDefault, 0);
}

/* What is queued still runs. Handles are not used again, so that one that was destroyed is known. */
CUDASIM_PUBLIC cudaError_t cudaStreamDestroy(cudaStream_t handle)
{
    api_call call(__func__);
    if (call.refused()) {
        return call.error;
    }
    if (is_default(handle) || stream_of(handle) == nullptr) {
        return failed(cudaErrorInvalidResourceHandle);
    }
    if (handle->capture != nullptr) {
        break_capture(handle->capture, cudaErrorStreamCaptureInvalidated);
    }
    handle->live = false;
    return cudaSuccess;
}

/* May the host ask how far a stream is? */
static cudaError_t check_may_wait(cudaStream_t stream)
{
    if (stream == nullptr) {
        return cudaErrorInvalidResourceHandle;
    }
    return stream->capture != nullptr ? break_capture(stream->capture, cudaErrorStreamCaptureUnsupported)
                                      : check_implicit(stream);
}

CUDASIM_PUBLIC cudaError_t cudaStreamSynchronize(cudaStream_t handle)
{
    api_call call(__func__);
    if (call.refused()) {
        return call.error;
    }
    check_unseen(__func__);
    cudaStream_t stream = stream_of(handle);
    cudaError_t error = check_may_wait(stream);
    if (error != cudaSuccess) {
        return failed(error);
    }
    count(CUDASIM_WAITS);
    if (stream->legacy) {
        append(stream, OPERATION_MARK, __func__, nullptr); /* which waits for the blocking streams */
    }
    wait_for(stream->last);
    return sticky_error;
}

CUDASIM_PUBLIC cudaError_t cudaStreamQuery(cudaStream_t handle)
{
    api_call call(__func__);
    if (call.refused()) {
        return call.error;
    }
    cudaStream_t stream = stream_of(handle);
    cudaError_t error = check_may_wait(stream);
    if (error != cudaSuccess) {
        return failed(error);
    }
    let_time_pass();
    if (stream->last != nullptr && !stream->last->done) {
        return cudaErrorNotReady;
    }
    wait_for(stream->last);
    return sticky_error;
}

CUDASIM_PUBLIC cudaError_t cudaDeviceSynchronize(void)
{
    api_call call(__func__);
    if (call.refused()) {
        return call.error;
    }
    check_unseen(__func__);
    cudaError_t error = check_unsafe();
    if (error != cudaSuccess) {
        return failed(error);
    }
    count(CUDASIM_WAITS);
    wait_for_all();
    return sticky_error;
}

CUDASIM_PUBLIC cudaError_t cudaStreamGetFlags(cudaStream_t handle, unsigned int *flags)
{
    api_call call(__func__);
    if (call.refused()) {
        return call.error;
    }
    cudaStream_t stream = stream_of(handle);
    if (stream == nullptr || flags == nullptr) {
        return failed(stream == nullptr ? cudaErrorInvalidResourceHandle : cudaErrorInvalidValue);
    }
    *flags = stream->flags;
    return cudaSuccess;
}

CUDASIM_PUBLIC cudaError_t cudaStreamGetDevice(cudaStream_t handle, int *device)
{
    api_call call(__func__);
    if (call.refused()) {
        return call.error;
    }
    cudaStream_t stream = stream_of(handle);
    if (stream == nullptr || device == nullptr) {
        return failed(stream == nullptr ? cudaErrorInvalidResourceHandle : cudaErrorInvalidValue);
    }
    *device = stream->device;
    return cudaSuccess;
}

CUDASIM_PUBLIC cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t function, void *data)
{
    api_call call(__func__);
    if (call.refused()) {
        return call.error;
    }
    if (function == nullptr) {
        return failed(cudaErrorInvalidValue);
    }
    return failed(put(stream, OPERATION_HOST, __func__, [function, data] { function(data); }));
}

} /* extern "C" */
