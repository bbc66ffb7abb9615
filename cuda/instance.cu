/* SPDX-License-Identifier: Apache-2.0 */
/* Instances: the plugin's entry, the handles of the libraries, the table. The entry makes an instance for questions, without
 * stream or handles; those that compute are made from it. */
#include "device_memory.h"

#include <stdio.h>
#include <string.h>

enum { JACOBI_SWEEPS = 100 };
static const double JACOBI_TOLERANCE = 1e-14; /* of the off-diagonal part, in double */

/* ---- questions ---- */

static const char *cuda_instruction_set(const ops *o)
{
    return cuda_of(o)->architecture;
}

static const char *cuda_gemm(const ops *o)
{
    return cuda_of(o)->gemm;
}

/* Tensor cores multiply bfloat16 from Ampere on, many times as fast as float32. */
static ops_bfloat16 cuda_bfloat16(const ops *o)
{
    return cuda_of(o)->major >= 8 ? OPS_BFLOAT16_MATRIX : OPS_BFLOAT16_NONE;
}

static bool cuda_tf32(const ops *o)
{
    return cuda_of(o)->major >= 8;
}

/* ---- what is computed in the host's memory: by the cpu's instance ---- */

static cfd_status host_score_block(const ops *o, const float *queries, int64_t n_queries, const float *keys, int64_t n_keys,
                                   int32_t width, float *scores, int64_t ld)
{
    const ops *cpu = cuda_of(o)->cpu;
    return cpu->table->score_block(cpu, queries, n_queries, keys, n_keys, width, scores, ld);
}

static cfd_status host_score_pairs(const ops *o, const float *row, const float *rows, const int32_t *ids, int64_t n,
                                   int32_t width, float *scores)
{
    const ops *cpu = cuda_of(o)->cpu;
    return cpu->table->score_pairs(cpu, row, rows, ids, n, width, scores);
}

static ops_scoring host_scoring(const ops *o)
{
    const ops *cpu = cuda_of(o)->cpu;
    return cpu->table->scoring(cpu);
}

static cfd_status host_set_scoring(ops *o, ops_scoring wanted)
{
    ops *cpu = cuda_of(o)->cpu;
    return cpu->table->set_scoring(cpu, wanted);
}

static cfd_status host_keys_create(ops *o, const float *keys, int32_t n, int32_t width, ops_keys **out)
{
    ops *cpu = cuda_of(o)->cpu;
    return cpu->table->keys_create(cpu, keys, n, width, out);
}

static void host_keys_destroy(ops *o, ops_keys *keys)
{
    ops *cpu = cuda_of(o)->cpu;
    cpu->table->keys_destroy(cpu, keys);
}

static cfd_status host_sort_out(const ops *o, const ops_keys *keys, const ops_sorting *what)
{
    const ops *cpu = cuda_of(o)->cpu;
    return cpu->table->sort_out(cpu, keys, what);
}

/* ---- making and ending ---- */

static void cuda_destroy(ops *o)
{
    if (!o) {
        return;
    }
    cuda_ops *c = cuda_of(o);
    {
        device_scope here(o);
        if (c->stream) {
            cudaStreamSynchronize(c->stream);
        }
        for (int k = 0; k < SCRATCH_PURPOSES; k++) {
            cudaFree(c->scratch[k]);
        }
        if (c->jacobi) {
            cusolverDnDestroySyevjInfo(c->jacobi);
        }
        if (c->solver) {
            cusolverDnDestroy(c->solver);
        }
        if (c->sparse) {
            cusparseDestroy(c->sparse);
        }
        if (c->blas) {
            cublasDestroy(c->blas);
        }
        cudaFree(c->blas_workspace);
        cudaFree(c->troubles);
        cudaFree(c->clock);
        if (c->own_stream) {
            cudaStreamDestroy(c->stream);
        }
    }
    if (c->cpu) {
        c->cpu->table->destroy(c->cpu);
    }
    c->host->release(c->base.memory, c);
}

static cfd_status make_stream(cuda_ops *c)
{
    c->stream = (cudaStream_t)c->request.stream;
    if (!c->stream) {
        TRY(cuda_check(c, cudaStreamCreateWithFlags(&c->stream, cudaStreamNonBlocking), "a stream"));
        c->own_stream = true;
    }
    TRY(cuda_allocate_bytes(c, sizeof *c->clock, "the clock", &c->clock));
    TRY(cuda_allocate_bytes(c, sizeof *c->troubles, "the troubles", &c->troubles));
    TRY(cuda_check(c, cudaMemsetAsync(c->clock, 0, sizeof *c->clock, c->stream), "zeroing"));
    return cuda_check(c, cudaMemsetAsync(c->troubles, 0, sizeof *c->troubles, c->stream), "zeroing");
}

/* With a workspace of its own a handle computes the same bits whatever goes on in other streams, and can be recorded. */
static cfd_status make_handles(cuda_ops *c)
{
    TRY(cuda_check_blas(c, cublasCreate(&c->blas), "a handle"));
    TRY(cuda_check_blas(c, cublasSetStream(c->blas, c->stream), "a handle"));
    TRY(cuda_allocate_bytes(c, CUDA_BLAS_WORKSPACE, "the workspace of cuBLAS", &c->blas_workspace));
    TRY(cuda_check_blas(c, cublasSetWorkspace(c->blas, c->blas_workspace, CUDA_BLAS_WORKSPACE), "a workspace"));
    TRY(cuda_check_sparse(c, cusparseCreate(&c->sparse), "a handle"));
    TRY(cuda_check_sparse(c, cusparseSetStream(c->sparse, c->stream), "a handle"));
    TRY(cuda_check_solver(c, cusolverDnCreate(&c->solver), "a handle"));
    TRY(cuda_check_solver(c, cusolverDnSetStream(c->solver, c->stream), "a handle"));
    TRY(cuda_check_solver(c, cusolverDnCreateSyevjInfo(&c->jacobi), "eigenvalues"));
    TRY(cuda_check_solver(c, cusolverDnXsyevjSetTolerance(c->jacobi, JACOBI_TOLERANCE), "eigenvalues"));
    TRY(cuda_check_solver(c, cusolverDnXsyevjSetMaxSweeps(c->jacobi, JACOBI_SWEEPS), "eigenvalues"));
    return cuda_check_solver(c, cusolverDnXsyevjSetSortEig(c->jacobi, 1), "eigenvalues");
}

static cfd_status cuda_create(const ops *like, ops **out);

static ops_table make_table(void)
{
    ops_table t = {};
    t.create = cuda_create;
    t.destroy = cuda_destroy;
    t.instruction_set = cuda_instruction_set;
    t.gemm = cuda_gemm;
    t.bfloat16 = cuda_bfloat16;
    t.tf32 = cuda_tf32;
    t.scratch_bytes = cuda_scratch_bytes;
    t.allocate = cuda_allocate;
    t.release = cuda_release;
    t.upload = cuda_upload;
    t.download = cuda_download;
    t.copy = cuda_copy;
    t.zero = cuda_zero;
    t.synchronise = cuda_synchronise;
    t.mailbox_create = cuda_mailbox_create;
    t.mailbox_destroy = cuda_mailbox_destroy;
    t.mailbox_post = cuda_mailbox_post;
    t.mailbox_read = cuda_mailbox_read;
    t.copy_matrix = cuda_copy_matrix;
    t.spmm = cuda_spmm;
    t.features_create = cuda_features_create;
    t.features_destroy = cuda_features_destroy;
    t.features_bytes = cuda_features_bytes;
    t.project = cuda_project;
    t.project_gradient = cuda_project_gradient;
    t.cross_moment = cuda_cross_moment;
    t.inverse_sqrt = cuda_inverse_sqrt;
    t.inverse_sqrt_gradient = cuda_inverse_sqrt_gradient;
    t.multiply_right = cuda_multiply_right;
    t.draw_batch = cuda_draw_batch;
    t.batch_index = cuda_batch_index;
    t.bpr = cuda_bpr;
    t.pair_cosine = cuda_pair_cosine;
    t.penalty = cuda_penalty;
    t.adam = cuda_adam;
    t.score_block = host_score_block;
    t.score_pairs = host_score_pairs;
    t.scoring = host_scoring;
    t.set_scoring = host_set_scoring;
    t.keys_create = host_keys_create;
    t.keys_destroy = host_keys_destroy;
    t.sort_out = host_sort_out;
    t.ranker_create = cuda_ranker_create;
    t.probe = cuda_probe;
    t.ranker_destroy = cuda_ranker_destroy;
    t.ranker_most_k = cuda_ranker_most_k;
    t.ranker_scores = cuda_ranker_scores;
    t.ranker_lists = cuda_ranker_lists;
    t.record_begin = cuda_record_begin;
    t.record_end = cuda_record_end;
    t.recording_destroy = cuda_recording_destroy;
    t.recording_valid = cuda_recording_valid;
    t.replay = cuda_replay;
    return t;
}

/* An instance without stream and handles. It takes over request->cpu, but where it fails. */
static cfd_status make_idle(const ops_plugin_host *host, const ops_plugin_request *request, cuda_ops **out)
{
    cuda_ops *c;
    TRY(host->allocate(request->memory, 1, sizeof *c, "an instance of the CUDA backend", &c));
    memset((void *)c, 0, sizeof *c);
    c->host_functions = *host;
    c->host = &c->host_functions;
    c->request = *request;
    c->cpu = request->cpu;
    c->request.cpu = nullptr;
    c->device = request->device;
    snprintf(c->name, sizeof c->name, "cuda:%d", c->device);
    c->table = make_table();
    c->table.name = c->name;
    c->table.sort_out_bytes = c->cpu->table->sort_out_bytes; /* asks the keys, which are the cpu's */
    c->base.table = &c->table;
    c->base.memory = request->memory;
    c->base.pool = request->pool;
    c->base.log = request->log;
    *out = c;
    return CFD_OK;
}

/* Every instance asks, which costs nothing beside its handles. */
static cfd_status ask_device(cuda_ops *c)
{
    int value = 0;
    TRY(cuda_check(c, cudaDeviceGetAttribute(&c->major, cudaDevAttrComputeCapabilityMajor, c->device), "its properties"));
    TRY(cuda_check(c, cudaDeviceGetAttribute(&c->minor, cudaDevAttrComputeCapabilityMinor, c->device), "its properties"));
    snprintf(c->architecture, sizeof c->architecture, "sm_%d%d", c->major, c->minor);
    TRY(cuda_check(c, cudaRuntimeGetVersion(&value), "its properties"));
    snprintf(c->gemm, sizeof c->gemm, "cuBLAS of CUDA %d.%d", value / 1000, value % 1000 / 10);
    if (c->major * 10 + c->minor < 75) {
        return cuda_fail(c, CFD_ERROR_DEVICE, "%s is sm_%d%d: sm_75 or later wanted", c->name, c->major, c->minor);
    }
    return CFD_OK;
}

static cfd_status cuda_create(const ops *like, ops **out)
{
    device_scope here(like);
    const cuda_ops *pattern = cuda_of(like);
    ops_plugin_request request = pattern->request;
    TRY(pattern->host->create_like(pattern->cpu, &request.cpu));
    cuda_ops *made;
    cfd_status status = make_idle(pattern->host, &request, &made);
    if (status != CFD_OK) {
        request.cpu->table->destroy(request.cpu);
        return status;
    }
    status = ask_device(made);
    status = status == CFD_OK ? make_stream(made) : status;
    status = status == CFD_OK ? make_handles(made) : status;
    if (status != CFD_OK) {
        cuda_destroy(&made->base);
        return status;
    }
    *out = &made->base;
    return CFD_OK;
}

/* ---- the entry ---- */

extern "C" __attribute__((visibility("default"))) cfd_status cfdtbd_cuda_open(const ops_plugin_host *host,
                                                                              const ops_plugin_request *request, ops **out);

cfd_status cfdtbd_cuda_open(const ops_plugin_host *host, const ops_plugin_request *request, ops **out)
{
    ops_plugin_version mine = ops_plugin_version_here();
    if (memcmp(&host->version, &mine, sizeof mine) != 0) {
        host->set_message("the CUDA backend and the library are of different versions");
        return CFD_ERROR_DEVICE;
    }
    int devices = 0;
    cudaError_t error = cudaGetDeviceCount(&devices);
    char text[160];
    if (error != cudaSuccess || devices == 0) {
        (void)cudaGetLastError();
        snprintf(text, sizeof text, "there is no CUDA device (%s)",
                 error != cudaSuccess ? cudaGetErrorString(error) : "none");
        host->set_message(text);
        return CFD_ERROR_DEVICE;
    }
    if (request->device >= devices) {
        snprintf(text, sizeof text, "there is no CUDA device %d: %d in all", (int)request->device, devices);
        host->set_message(text);
        return CFD_ERROR_DEVICE;
    }
    cuda_ops *made;
    TRY(make_idle(host, request, &made));
    cfd_status status = ask_device(made);
    if (status != CFD_OK) {
        made->cpu = nullptr; /* it stays the library's */
        cuda_destroy(&made->base);
        return status;
    }
    *out = &made->base;
    return CFD_OK;
}
