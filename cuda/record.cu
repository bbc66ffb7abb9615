/* SPDX-License-Identifier: Apache-2.0 */
/* Recorded work: a CUDA graph of all that was put into the stream between begin and end, and the clock, by which kernels
 * know at which moment of training they are run. */
#include "backend.h"

#include "device.cuh"

struct ops_recording {
    cudaGraphExec_t work;
    uint64_t scratch_generation; /* of the scratch memory whose addresses it holds */
};

/* ---- the clock ---- */

__global__ void set_clock_kernel(cuda_clock *clock, cuda_clock at)
{
    clock->step = at.step >= 0 ? at.step : clock->step;
    clock->epoch = at.epoch >= 0 ? at.epoch : clock->epoch;
    clock->position = at.position >= 0 ? at.position : clock->position;
    clock->update = at.update >= 0 ? at.update : clock->update;
}

cfd_status cuda_set_clock(cuda_ops *c, const ops_moment *at)
{
    if (!c->recording) {
        LAUNCH(c, set_clock_kernel, 1, 1, 0, c->clock, *at);
    }
    return CFD_OK;
}

/* ---- recordings ---- */

/* By this thread: what other threads do with their streams meanwhile is theirs. */
cfd_status cuda_record_begin(ops *o)
{
    device_scope here(o);
    cuda_ops *c = cuda_of(o);
    TRY(cuda_check(c, cudaStreamBeginCapture(c->stream, cudaStreamCaptureModeThreadLocal), "recording"));
    c->recording = true;
    return CFD_OK;
}

static cfd_status instantiate(cuda_ops *c, cudaGraph_t graph, ops_recording **out)
{
    ops_recording *made;
    TRY(c->host->allocate(c->base.memory, 1, sizeof *made, "a recording", &made));
    cfd_status status = cuda_check(c, cudaGraphInstantiate(&made->work, graph, 0), "a recording");
    if (status != CFD_OK) {
        c->host->release(c->base.memory, made);
        return status;
    }
    made->scratch_generation = c->scratch_generation;
    *out = made;
    return CFD_OK;
}

cfd_status cuda_record_end(ops *o, ops_recording **out)
{
    device_scope here(o);
    cuda_ops *c = cuda_of(o);
    cudaGraph_t graph = nullptr;
    c->recording = false;
    TRY(cuda_check(c, cudaStreamEndCapture(c->stream, &graph), "recording"));
    cfd_status status = instantiate(c, graph, out);
    cudaGraphDestroy(graph);
    return status;
}

/* The graph may still be on its way through the stream. */
void cuda_recording_destroy(ops *o, ops_recording *recording)
{
    if (recording) {
        device_scope here(o);
        cuda_ops *c = cuda_of(o);
        cudaStreamSynchronize(c->stream);
        cudaGraphExecDestroy(recording->work);
        c->host->release(c->base.memory, recording);
    }
}

bool cuda_recording_valid(const ops *o, const ops_recording *recording)
{
    return recording->scratch_generation == cuda_of(o)->scratch_generation;
}

cfd_status cuda_replay(ops *o, ops_recording *recording, const ops_moment *at)
{
    device_scope here(o);
    cuda_ops *c = cuda_of(o);
    TRY(cuda_set_clock(c, at));
    return cuda_check(c, cudaGraphLaunch(recording->work, c->stream), "a recorded step");
}
