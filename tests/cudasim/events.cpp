/* SPDX-License-Identifier: Apache-2.0 */
/* Events: marks in a stream, for other streams and for the host to wait for. */
#include "queue.h"

#include <set>

namespace cudasim {

static std::set<cudaEvent_t> &events()
{
    static std::set<cudaEvent_t> &all = *new std::set<cudaEvent_t>;
    return all;
}

size_t live_events()
{
    return events().size();
}

/* A wait outside of captures. */
static cudaError_t wait_in_stream(cudaStream_t handle, cudaStream_t stream, cudaEvent_t event)
{
    count_work(OPERATION_MARK, handle);
    if (event->recorded != nullptr) {
        append(stream, OPERATION_MARK, "cudaStreamWaitEvent", nullptr, {event->recorded});
    }
    return cudaSuccess;
}

/* A wait where the event was recorded in a capture, or the stream captures: the stream joins the event's capture. */
static cudaError_t wait_in_capture(cudaStream_t stream, cudaEvent_t event)
{
    capture *from = capture_of(event->capture);
    if (from == nullptr) {
        bool never = event->capture == 0 && event->recorded == nullptr;
        if (stream->capture == nullptr) {
            return cudaErrorCapturedEvent;
        }
        return never ? cudaSuccess : break_capture(stream->capture, cudaErrorStreamCaptureIsolation);
    }
    if (stream->capture != nullptr && stream->capture != from) {
        break_capture(from, cudaErrorStreamCaptureMerge);
        return break_capture(stream->capture, cudaErrorStreamCaptureMerge);
    }
    if (stream->legacy) {
        return break_capture(from, cudaErrorStreamCaptureImplicit);
    }
    if (from->broken) {
        return cudaErrorStreamCaptureInvalidated;
    }
    stream->capture = from;
    for (size_t node : event->ends) {
        stream->ends.push_back(node);
    }
    return cudaSuccess;
}

} /* namespace cudasim */

using namespace cudasim;

extern "C" {

CUDASIM_PUBLIC cudaError_t cudaEventCreateWithFlags(cudaEvent_t *out, unsigned int flags)
{
    api_call call(__func__);
    if (call.refused()) {
        return call.error;
    }
    if (out == nullptr || (flags & ~(unsigned)(cudaEventBlockingSync | cudaEventDisableTiming)) != 0) {
        return failed(cudaErrorInvalidValue);
    }
    *out = new CUevent_st;
    (*out)->flags = flags;
    events().insert(*out);
    return cudaSuccess;
}

CUDASIM_PUBLIC cudaError_t cudaEventCreate(cudaEvent_t *out)
{
    return cudaEventCreateWithFlags(out, cudaEventDefault);
}

CUDASIM_PUBLIC cudaError_t cudaEventDestroy(cudaEvent_t event)
{
    api_call call(__func__);
    if (call.refused()) {
        return call.error;
    }
    if (events().erase(event) == 0) {
        return failed(cudaErrorInvalidResourceHandle);
    }
    delete event;
    return cudaSuccess;
}

CUDASIM_PUBLIC cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t handle)
{
    api_call call(__func__);
    if (call.refused()) {
        return call.error;
    }
    check_unseen(__func__);
    cudaStream_t stream = stream_of(handle);
    if (stream == nullptr || events().count(event) == 0 || stream->device != this_thread().device) {
        return failed(cudaErrorInvalidResourceHandle);
    }
    if (stream->capture != nullptr) {
        if (stream->capture->broken) {
            return failed(cudaErrorStreamCaptureInvalidated);
        }
        event->capture = stream->capture->number;
        event->ends = stream->ends;
        event->recorded = nullptr;
        return cudaSuccess;
    }
    cudaError_t error = check_implicit(stream);
    if (error != cudaSuccess) {
        return failed(error);
    }
    count_work(OPERATION_MARK, handle);
    event->capture = 0;
    event->recorded = append(stream, OPERATION_MARK, __func__, nullptr);
    return cudaSuccess;
}

CUDASIM_PUBLIC cudaError_t cudaStreamWaitEvent(cudaStream_t handle, cudaEvent_t event, unsigned int flags)
{
    api_call call(__func__);
    if (call.refused()) {
        return call.error;
    }
    check_unseen(__func__);
    cudaStream_t stream = stream_of(handle);
    if (stream == nullptr || events().count(event) == 0) {
        return failed(cudaErrorInvalidResourceHandle);
    }
    if (flags != 0) {
        return failed(cudaErrorInvalidValue);
    }
    if (stream->capture != nullptr || event->capture != 0) {
        return failed(wait_in_capture(stream, event));
    }
    cudaError_t error = check_implicit(stream);
    return failed(error != cudaSuccess ? error : wait_in_stream(handle, stream, event));
}

/* Both: what an event says of work that is over. */
static cudaError_t look(cudaEvent_t event)
{
    if (events().count(event) == 0) {
        return cudaErrorInvalidResourceHandle;
    }
    if (event->capture != 0) {
        capture *c = capture_of(event->capture);
        return c != nullptr ? break_capture(c, cudaErrorCapturedEvent) : cudaErrorCapturedEvent;
    }
    return check_unsafe();
}

CUDASIM_PUBLIC cudaError_t cudaEventQuery(cudaEvent_t event)
{
    api_call call(__func__);
    if (call.refused()) {
        return call.error;
    }
    cudaError_t error = look(event);
    if (error != cudaSuccess) {
        return failed(error);
    }
    let_time_pass();
    if (event->recorded != nullptr && !event->recorded->done) {
        return cudaErrorNotReady;
    }
    wait_for(event->recorded);
    return sticky_error;
}

CUDASIM_PUBLIC cudaError_t cudaEventSynchronize(cudaEvent_t event)
{
    api_call call(__func__);
    if (call.refused()) {
        return call.error;
    }
    check_unseen(__func__);
    cudaError_t error = look(event);
    if (error != cudaSuccess) {
        return failed(error);
    }
    count(CUDASIM_WAITS);
    wait_for(event->recorded);
    return sticky_error;
}

CUDASIM_PUBLIC cudaError_t cudaEventElapsedTime(float *ms, cudaEvent_t start, cudaEvent_t end)
{
    api_call call(__func__);
    if (call.refused()) {
        return call.error;
    }
    if (ms == nullptr) {
        return failed(cudaErrorInvalidValue);
    }
    for (cudaEvent_t event : {start, end}) {
        if (events().count(event) == 0 || event->recorded == nullptr || (event->flags & cudaEventDisableTiming) != 0) {
            return failed(cudaErrorInvalidResourceHandle);
        }
    }
    if (!start->recorded->done || !end->recorded->done) {
        return cudaErrorNotReady;
    }
    *ms = (float)((end->recorded->time - start->recorded->time) * 1e3);
    return cudaSuccess;
}

} /* extern "C" */
