/* SPDX-License-Identifier: Apache-2.0 */
/* Device memory: blocks, scratch, copies to and from the host, mailboxes. */
#include "device_memory.h"

#include "device.cuh"

#include <string.h>

/* ---- blocks ---- */

cfd_status cuda_allocate_bytes(const cuda_ops *c, size_t bytes, const char *what, void *out)
{
    void *memory = NULL;
    cudaError_t error = cudaMalloc(&memory, bytes > 0 ? bytes : 1);
    if (error == cudaErrorMemoryAllocation) {
        (void)cudaGetLastError();
        size_t free_bytes = 0;
        size_t total = 0;
        cudaMemGetInfo(&free_bytes, &total);
        return cuda_fail(c, CFD_ERROR_MEMORY, "%s is out of memory: %zu bytes for %s; %zu of %zu are free", c->name, bytes,
                         what, free_bytes, total);
    }
    TRY(cuda_check(c, error, what));
    *(void **)out = memory;
    return CFD_OK;
}

extern "C" cfd_status cuda_allocate(ops *o, size_t bytes, const char *what, void *out)
{
    device_scope here(o);
    return cuda_allocate_bytes(cuda_of(o), bytes, what, out);
}

/* cudaFree waits for whatever still uses the block. */
extern "C" void cuda_release(ops *o, void *memory)
{
    device_scope here(o);
    if (memory) {
        cudaFree(memory);
    }
}

/* ---- scratch ---- */

cfd_status cuda_scratch_get(cuda_ops *c, enum cuda_scratch purpose, size_t bytes, void *out)
{
    if (bytes > c->scratch_bytes[purpose]) {
        if (c->recording) {
            return cuda_fail(c, CFD_ERROR_DEVICE, "%s: scratch memory would have to grow while work is recorded", c->name);
        }
        void *grown = nullptr;
        TRY(cuda_allocate_bytes(c, bytes, "scratch", &grown));
        cudaFree(c->scratch[purpose]); /* after the work that uses it */
        c->scratch[purpose] = grown;
        c->scratch_bytes[purpose] = bytes;
        c->scratch_generation++;
    }
    *(void **)out = c->scratch[purpose];
    return CFD_OK;
}

extern "C" size_t cuda_scratch_bytes(const ops *o)
{
    const cuda_ops *c = cuda_of(o);
    size_t bytes = c->blas_workspace ? CUDA_BLAS_WORKSPACE : 0;
    for (int k = 0; k < SCRATCH_PURPOSES; k++) {
        bytes += c->scratch_bytes[k];
    }
    return bytes;
}

/* ---- copies ---- */

extern "C" cfd_status cuda_upload(ops *o, void *to, const void *from_host, size_t bytes)
{
    device_scope here(o);
    cuda_ops *c = cuda_of(o);
    return bytes == 0 ? CFD_OK
                      : cuda_check(c, cudaMemcpyAsync(to, from_host, bytes, cudaMemcpyHostToDevice, c->stream), "an upload");
}

/* What kernels found wrong with the data since the last look. */
static cfd_status report_troubles(cuda_ops *c, const cuda_troubles *seen)
{
    if (seen->not_finite == 0 && seen->not_converged == 0) {
        return CFD_OK;
    }
    TRY(cuda_check(c, cudaMemsetAsync(c->troubles, 0, sizeof *c->troubles, c->stream), "clearing"));
    return seen->not_finite > 0
               ? cuda_fail(c, CFD_ERROR_NUMERIC, "inverse square root: an entry of matrix %d is not finite",
                           (int)seen->not_finite - 1)
               : cuda_fail(c, CFD_ERROR_NUMERIC, "inverse square root: the eigenvalues of matrix %d do not converge",
                           (int)seen->not_converged - 1);
}

static cfd_status wait_and_report(cuda_ops *c, const char *what)
{
    cuda_troubles seen;
    TRY(cuda_check(c, cudaMemcpyAsync(&seen, c->troubles, sizeof seen, cudaMemcpyDeviceToHost, c->stream), what));
    TRY(cuda_check(c, cudaStreamSynchronize(c->stream), what));
    return report_troubles(c, &seen);
}

extern "C" cfd_status cuda_download(ops *o, void *to_host, const void *from, size_t bytes)
{
    device_scope here(o);
    cuda_ops *c = cuda_of(o);
    if (bytes > 0) {
        TRY(cuda_check(c, cudaMemcpyAsync(to_host, from, bytes, cudaMemcpyDeviceToHost, c->stream), "a download"));
    }
    return wait_and_report(c, "a download");
}

extern "C" cfd_status cuda_copy(ops *o, void *to, const void *from, size_t bytes)
{
    device_scope here(o);
    cuda_ops *c = cuda_of(o);
    return bytes == 0 ? CFD_OK
                      : cuda_check(c, cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, c->stream), "a copy");
}

extern "C" cfd_status cuda_zero(ops *o, void *to, size_t bytes)
{
    device_scope here(o);
    cuda_ops *c = cuda_of(o);
    return bytes == 0 ? CFD_OK : cuda_check(c, cudaMemsetAsync(to, 0, bytes, c->stream), "zeroing");
}

extern "C" cfd_status cuda_synchronise(ops *o)
{
    device_scope here(o);
    return wait_and_report(cuda_of(o), "waiting");
}

/* ---- mailboxes: pinned memory, and an event that says that the copy is there ---- */

struct ops_mailbox {
    size_t bytes;
    void *content; /* pinned */
    cudaEvent_t arrived;
};

extern "C" void cuda_mailbox_destroy(ops *o, ops_mailbox *mailbox)
{
    if (!mailbox) {
        return;
    }
    device_scope here(o);
    cuda_ops *c = cuda_of(o);
    if (mailbox->arrived) {
        cudaEventSynchronize(mailbox->arrived); /* the copy must not come after the memory has gone */
        cudaEventDestroy(mailbox->arrived);
    }
    if (mailbox->content) {
        cudaFreeHost(mailbox->content);
    }
    c->host->release(c->base.memory, mailbox);
}

extern "C" cfd_status cuda_mailbox_create(ops *o, size_t bytes, ops_mailbox **out)
{
    device_scope here(o);
    cuda_ops *c = cuda_of(o);
    ops_mailbox *made;
    TRY(c->host->allocate(c->base.memory, 1, sizeof *made, "a mailbox", &made));
    memset(made, 0, sizeof *made);
    made->bytes = bytes;
    cfd_status status = cuda_check(c, cudaHostAlloc(&made->content, bytes, cudaHostAllocDefault), "a mailbox");
    if (status == CFD_OK) {
        memset(made->content, 0, bytes);
        status = cuda_check(c, cudaEventCreateWithFlags(&made->arrived, cudaEventDisableTiming), "a mailbox");
    }
    if (status != CFD_OK) {
        cuda_mailbox_destroy(o, made);
        return status;
    }
    *out = made;
    return CFD_OK;
}

extern "C" cfd_status cuda_mailbox_post(ops *o, ops_mailbox *mailbox, const void *from)
{
    device_scope here(o);
    cuda_ops *c = cuda_of(o);
    TRY(cuda_check(c, cudaMemcpyAsync(mailbox->content, from, mailbox->bytes, cudaMemcpyDeviceToHost, c->stream),
                   "a mailbox"));
    return cuda_check(c, cudaEventRecord(mailbox->arrived, c->stream), "a mailbox");
}

extern "C" cfd_status cuda_mailbox_read(ops *o, ops_mailbox *mailbox, void *to, bool wait, bool *ready)
{
    device_scope here(o);
    cuda_ops *c = cuda_of(o);
    cudaError_t error = wait ? cudaEventSynchronize(mailbox->arrived) : cudaEventQuery(mailbox->arrived);
    if (error == cudaErrorNotReady) {
        *ready = false;
        return CFD_OK;
    }
    TRY(cuda_check(c, error, "a mailbox"));
    memcpy(to, mailbox->content, mailbox->bytes);
    *ready = true;
    return CFD_OK;
}

/* ---- matrices ---- */

__global__ void copy_matrix_kernel(const float *from, int64_t ld_from, float *to, int64_t ld_to, int64_t numbers,
                                   int32_t columns, float scale)
{
    int64_t at = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (inside(at, numbers)) {
        int64_t row = at / columns;
        int64_t column = at % columns;
        to[row * ld_to + column] = scale * from[row * ld_from + column];
    }
}

extern "C" cfd_status cuda_copy_matrix(ops *o, const float *from, int64_t ld_from, float *to, int64_t ld_to, int64_t rows,
                                       int32_t columns, float scale)
{
    enum { THREADS = 256 };
    device_scope here(o);
    cuda_ops *c = cuda_of(o);
    if (rows > 0 && columns > 0) {
        int64_t numbers = rows * columns;
        LAUNCH(c, copy_matrix_kernel, cuda_blocks(numbers, THREADS), THREADS, 0, from, ld_from, to, ld_to, numbers, columns,
               scale);
    }
    return CFD_OK;
}
