/* SPDX-License-Identifier: Apache-2.0 */
/* The cpu instance: its memory, its scratch, plain copies, and the table. */
#include "ops/cpu/cpu.h"

#include "ops/host.h"

#include <string.h>

static void cpu_destroy(ops *o)
{
    if (o) {
        memory_release(o->memory, cpu_of(o)->scratch);
        memory_release(o->memory, o);
    }
}

static const char *cpu_instruction_set(const ops *o)
{
    return ((const cpu_ops *)o)->kernels->name;
}

static const char *cpu_gemm(const ops *o)
{
    return ((const cpu_ops *)o)->gemm;
}

/* ---- memory ---- */

static cfd_status cpu_allocate(ops *o, size_t bytes, const char *what, void *out)
{
    return memory_allocate(o->memory, bytes, 1, what, out);
}

static void cpu_release(ops *o, void *memory)
{
    memory_release(o->memory, memory);
}

size_t cpu_reserve(cpu_layout *layout, size_t count, size_t size)
{
    size_t begin = layout->bytes;
    size_t bytes;
    size_t end;
    if (!checked_multiply(count, size, &bytes) || !checked_add(begin, bytes, &end) ||
        !checked_add(end, MEMORY_ALIGNMENT - 1, &end)) {
        layout->overflow = true;
        return 0;
    }
    layout->bytes = end / MEMORY_ALIGNMENT * MEMORY_ALIGNMENT;
    return begin;
}

cfd_status cpu_scratch(cpu_ops *cpu, const cpu_layout *layout, const char *what, unsigned char **out)
{
    if (layout->overflow) {
        return fail(CFD_ERROR_MEMORY, "out of memory: the size of %s overflows", what);
    }
    if (layout->bytes > cpu->scratch_bytes) {
        unsigned char *larger;
        TRY(memory_allocate(cpu->base.memory, layout->bytes, 1, what, &larger));
        memory_release(cpu->base.memory, cpu->scratch);
        cpu->scratch = larger;
        cpu->scratch_bytes = layout->bytes;
    }
    *out = cpu->scratch;
    return CFD_OK;
}

cfd_status cpu_gemm_result(const cpu_ops *cpu, int failure, const char *what)
{
    switch (failure) {
    case CFD_OK: return CFD_OK;
    case CFD_ERROR_MEMORY: return fail(CFD_ERROR_MEMORY, "out of memory: %s by %s", what, cpu->gemm);
    default: return fail((cfd_status)failure, "%s: %s failed in a dense product", what, cpu->gemm);
    }
}

/* ---- copies ---- */

enum { COPY_BYTES = 1 << 20, COPY_ELEMENTS = 1 << 16 };

typedef struct copy_job {
    unsigned char *to;
    const unsigned char *from; /* NULL: zero */
    size_t bytes;
} copy_job;

static void copy_block(void *argument, size_t block)
{
    const copy_job *job = argument;
    size_t begin = block * COPY_BYTES;
    size_t bytes = job->bytes - begin < COPY_BYTES ? job->bytes - begin : COPY_BYTES;
    if (job->from) {
        memcpy(job->to + begin, job->from + begin, bytes);
    } else {
        memset(job->to + begin, 0, bytes);
    }
}

static cfd_status cpu_copy(ops *o, void *to, const void *from, size_t bytes)
{
    copy_job job = {to, from, bytes};
    threads_run(o->pool, blocks_of(bytes, COPY_BYTES), copy_block, &job);
    return CFD_OK;
}

static cfd_status cpu_zero(ops *o, void *to, size_t bytes)
{
    return cpu_copy(o, to, NULL, bytes);
}

static cfd_status cpu_synchronise(ops *o)
{
    return CFD_OK;
}

typedef struct copy_matrix_job {
    const cpu_kernels *kernels;
    const float *from;
    float *to;
    int64_t ld_from, ld_to, rows, columns, block_rows;
    float scale;
} copy_matrix_job;

static void copy_matrix_block(void *argument, size_t block)
{
    const copy_matrix_job *job = argument;
    int64_t begin = (int64_t)block * job->block_rows;
    int64_t end = job->rows - begin < job->block_rows ? job->rows : begin + job->block_rows;
    if (job->ld_from == job->columns && job->ld_to == job->columns) {
        job->kernels->scale(job->from + begin * job->columns, job->scale, job->to + begin * job->columns,
                            (size_t)((end - begin) * job->columns));
        return;
    }
    for (int64_t r = begin; r < end; r++) {
        job->kernels->scale(job->from + r * job->ld_from, job->scale, job->to + r * job->ld_to, (size_t)job->columns);
    }
}

static cfd_status cpu_copy_matrix(ops *o, const float *from, int64_t ld_from, float *to, int64_t ld_to, int64_t rows,
                                  int32_t columns, float scale)
{
    int64_t block_rows = COPY_ELEMENTS / (columns > 0 ? columns : 1) + 1;
    copy_matrix_job job = {cpu_of(o)->kernels, from, to, ld_from, ld_to, rows, columns, block_rows, scale};
    threads_run(o->pool, blocks_of((size_t)rows, (size_t)block_rows), copy_matrix_block, &job);
    return CFD_OK;
}

/* ---- the table ---- */

static cfd_status cpu_create(const ops *like, ops **out)
{
    const cpu_ops *cpu = (const cpu_ops *)like;
    TRY(ops_create_cpu(like->memory, like->pool, like->log, cpu->kernels->name, out));
    return cpu_set_scoring(*out, cpu->scoring_asked);
}

static size_t cpu_scratch_bytes(const ops *o)
{
    return ((const cpu_ops *)o)->scratch_bytes;
}

/* The library for dense products multiplies it; without our widest loops it is taken for absent, as on a lesser processor.
 */
static ops_bfloat16 cpu_bfloat16(const ops *o)
{
    bool wide = strcmp(((const cpu_ops *)o)->kernels->name, "avx512") == 0;
    return wide ? gemm_bfloat16() : OPS_BFLOAT16_NONE;
}

static const ops_table cpu_table = {
    .name = "cpu",
    .host_memory = true,
    .create = cpu_create,
    .destroy = cpu_destroy,
    .instruction_set = cpu_instruction_set,
    .gemm = cpu_gemm,
    .bfloat16 = cpu_bfloat16,
    .tf32 = host_tf32,
    .scratch_bytes = cpu_scratch_bytes,
    .allocate = cpu_allocate,
    .release = cpu_release,
    .upload = cpu_copy,
    .download = cpu_copy,
    .copy = cpu_copy,
    .zero = cpu_zero,
    .synchronise = cpu_synchronise,
    .mailbox_create = host_mailbox_create,
    .mailbox_destroy = host_mailbox_destroy,
    .mailbox_post = host_mailbox_post,
    .mailbox_read = host_mailbox_read,
    .copy_matrix = cpu_copy_matrix,
    .spmm = cpu_spmm,
    .features_create = cpu_features_create,
    .features_destroy = cpu_features_destroy,
    .features_bytes = cpu_features_bytes,
    .project = cpu_project,
    .project_gradient = cpu_project_gradient,
    .cross_moment = cpu_cross_moment,
    .inverse_sqrt = cpu_inverse_sqrt,
    .inverse_sqrt_gradient = cpu_inverse_sqrt_gradient,
    .multiply_right = cpu_multiply_right,
    .draw_batch = cpu_draw_batch,
    .batch_index = cpu_batch_index,
    .bpr = cpu_bpr,
    .pair_cosine = cpu_pair_cosine,
    .penalty = cpu_penalty,
    .adam = cpu_adam,
    .score_block = cpu_score_block,
    .score_pairs = cpu_score_pairs,
    .scoring = cpu_scoring,
    .set_scoring = cpu_set_scoring,
    .keys_create = cpu_keys_create,
    .keys_destroy = cpu_keys_destroy,
    .sort_out_bytes = cpu_sort_out_bytes,
    .sort_out = cpu_sort_out,
    .ranker_create = host_ranker_create,
    .probe = cpu_probe,
};

cfd_status ops_create_cpu(const memory_source *memory, thread_pool *pool, log_sink log, const char *instructions, ops **out)
{
    bool best = !instructions || strcmp(instructions, "auto") == 0;
    const cpu_kernels *kernels = best ? cpu_kernels_choose() : cpu_kernels_find(instructions);
    if (!kernels) {
        return fail(CFD_ERROR_DEVICE,
                    "this processor or build has no \"%.40s\" instructions: auto, baseline, avx2 or avx512", instructions);
    }
    cpu_ops *cpu;
    TRY(memory_allocate_zero(memory, 1, sizeof *cpu, "the cpu operations", &cpu));
    cpu->base.table = &cpu_table;
    cpu->base.memory = memory;
    cpu->base.pool = pool;
    cpu->base.log = log;
    cpu->kernels = kernels;
    cpu->short_loops = short_kernels_for(kernels->name);
    gemm_name(cpu->gemm);
    gemm_advise(&cpu->base.log);
    *out = &cpu->base;
    return CFD_OK;
}
