/* SPDX-License-Identifier: Apache-2.0 */
/* Capture: what is put into a stream that captures becomes a node of a graph. A mistake breaks the capture; its end says so.
 * Stricter than a device: copies between device memory and pageable host memory are refused. */
#include "queue.h"

#include <algorithm>

namespace cudasim {

static std::vector<capture *> &captures = *new std::vector<capture *>;
static unsigned long captures_begun;

capture *capture_of(unsigned long number)
{
    for (capture *c : captures) {
        if (c->number == number) {
            return c;
        }
    }
    return nullptr;
}

cudaError_t break_capture(capture *c, cudaError_t error)
{
    bool was_broken = c->broken;
    c->broken = true;
    return was_broken ? cudaErrorStreamCaptureInvalidated : error;
}

cudaError_t check_unsafe()
{
    cudaStreamCaptureMode mode = this_thread().capture_mode;
    for (capture *c : captures) {
        bool own = c->thread == std::this_thread::get_id();
        bool forbids = own ? c->mode != cudaStreamCaptureModeRelaxed && mode != cudaStreamCaptureModeRelaxed
                           : c->mode == cudaStreamCaptureModeGlobal && mode == cudaStreamCaptureModeGlobal;
        if (forbids) {
            return break_capture(c, cudaErrorStreamCaptureUnsupported);
        }
    }
    return cudaSuccess;
}

cudaError_t check_implicit(cudaStream_t stream)
{
    if (stream->legacy) {
        for (cudaStream_t other : all_streams()) {
            if (other->live && other->blocking && other->capture != nullptr) {
                return break_capture(other->capture, cudaErrorStreamCaptureImplicit);
            }
        }
    }
    return cudaSuccess;
}

cudaError_t add_node(cudaStream_t stream, operation_kind kind, const std::string &what, std::function<void()> work)
{
    capture *c = stream->capture;
    if (c->broken) {
        return cudaErrorStreamCaptureInvalidated;
    }
    std::sort(stream->ends.begin(), stream->ends.end());
    stream->ends.erase(std::unique(stream->ends.begin(), stream->ends.end()), stream->ends.end());
    c->graph->nodes.push_back({kind, what, std::move(work), stream->ends});
    stream->ends.assign(1, c->graph->nodes.size() - 1);
    return cudaSuccess;
}

/* Whether every node comes before the end of the stream in which the capture began. */
static bool is_joined(const capture *c)
{
    const std::vector<CUgraphNode_st> &nodes = c->graph->nodes;
    std::vector<bool> seen(nodes.size());
    std::vector<size_t> left = c->origin->ends;
    while (!left.empty()) {
        size_t node = left.back();
        left.pop_back();
        if (!seen[node]) {
            seen[node] = true;
            left.insert(left.end(), nodes[node].after.begin(), nodes[node].after.end());
        }
    }
    return std::find(seen.begin(), seen.end(), false) == seen.end();
}

/* Ends it: its streams capture no more. */
static void finish(capture *c)
{
    for (cudaStream_t stream : all_streams()) {
        if (stream->capture == c) {
            stream->capture = nullptr;
            stream->ends.clear();
        }
    }
    captures.erase(std::find(captures.begin(), captures.end(), c));
    delete c;
}

} /* namespace cudasim */

using namespace cudasim;

extern "C" {

CUDASIM_PUBLIC cudaError_t cudaStreamBeginCapture(cudaStream_t handle, enum cudaStreamCaptureMode mode)
{
    api_call call(__func__);
    if (call.refused()) {
        return call.error;
    }
    cudaStream_t stream = stream_of(handle);
    if (stream == nullptr) {
        return failed(cudaErrorInvalidResourceHandle);
    }
    if ((int)mode < cudaStreamCaptureModeGlobal || mode > cudaStreamCaptureModeRelaxed) {
        return failed(cudaErrorInvalidValue);
    }
    if (stream->legacy) {
        return failed(cudaErrorStreamCaptureUnsupported);
    }
    if (stream->capture != nullptr) {
        return failed(cudaErrorIllegalState);
    }
    stream->capture = new capture{++captures_begun, mode, stream, std::this_thread::get_id(), false, new CUgraph_st};
    stream->ends.clear();
    captures.push_back(stream->capture);
    return cudaSuccess;
}

CUDASIM_PUBLIC cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t *out)
{
    api_call call(__func__);
    if (call.refused()) {
        return call.error;
    }
    cudaStream_t stream = stream_of(handle);
    if (stream == nullptr || out == nullptr) {
        return failed(stream == nullptr ? cudaErrorInvalidResourceHandle : cudaErrorInvalidValue);
    }
    capture *c = stream->capture;
    if (c == nullptr) {
        return failed(cudaErrorIllegalState);
    }
    if (c->mode != cudaStreamCaptureModeRelaxed && c->thread != std::this_thread::get_id()) {
        return failed(cudaErrorStreamCaptureWrongThread);
    }
    if (c->origin != stream) {
        return failed(break_capture(c, cudaErrorStreamCaptureUnmatched));
    }
    cudaError_t error = c->broken      ? cudaErrorStreamCaptureInvalidated
                        : is_joined(c) ? cudaSuccess
                                       : cudaErrorStreamCaptureUnjoined;
    *out = nullptr;
    if (error == cudaSuccess) {
        *out = c->graph;
        own_graph(c->graph);
    } else {
        delete c->graph;
    }
    finish(c);
    return failed(error);
}

CUDASIM_PUBLIC cudaError_t cudaStreamIsCapturing(cudaStream_t handle, enum cudaStreamCaptureStatus *status)
{
    api_call call(__func__);
    if (call.refused()) {
        return call.error;
    }
    cudaStream_t stream = stream_of(handle);
    if (stream == nullptr || status == nullptr) {
        return failed(stream == nullptr ? cudaErrorInvalidResourceHandle : cudaErrorInvalidValue);
    }
    cudaError_t error = check_implicit(stream);
    if (error != cudaSuccess) {
        return failed(error);
    }
    *status = stream->capture == nullptr ? cudaStreamCaptureStatusNone
              : stream->capture->broken  ? cudaStreamCaptureStatusInvalidated
                                         : cudaStreamCaptureStatusActive;
    return cudaSuccess;
}

CUDASIM_PUBLIC cudaError_t cudaThreadExchangeStreamCaptureMode(enum cudaStreamCaptureMode *mode)
{
    api_call call(__func__);
    if (call.refused()) {
        return call.error;
    }
    if (mode == nullptr || (int)*mode < cudaStreamCaptureModeGlobal || *mode > cudaStreamCaptureModeRelaxed) {
        return failed(cudaErrorInvalidValue);
    }
    std::swap(*mode, this_thread().capture_mode);
    return cudaSuccess;
}

} /* extern "C" */
