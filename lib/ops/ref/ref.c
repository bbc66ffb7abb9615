/* SPDX-License-Identifier: Apache-2.0 */
/* The reference instance: its memory, and the table. */
#include "ops/ref/ref.h"

#include "ops/host.h"

#include <string.h>

static void ref_destroy(ops *o)
{
    if (o) {
        memory_release(o->memory, o);
    }
}

static const char *ref_instruction_set(const ops *o)
{
    return "reference";
}

static const char *ref_gemm(const ops *o)
{
    return "own loops";
}

static cfd_status ref_allocate(ops *o, size_t bytes, const char *what, void *out)
{
    return memory_allocate(o->memory, bytes, 1, what, out);
}

static void ref_release(ops *o, void *memory)
{
    memory_release(o->memory, memory);
}

static cfd_status ref_copy(ops *o, void *to, const void *from, size_t bytes)
{
    if (bytes > 0) {
        memcpy(to, from, bytes);
    }
    return CFD_OK;
}

static cfd_status ref_zero(ops *o, void *to, size_t bytes)
{
    if (bytes > 0) {
        memset(to, 0, bytes);
    }
    return CFD_OK;
}

static cfd_status ref_synchronise(ops *o)
{
    return CFD_OK;
}

static cfd_status ref_copy_matrix(ops *o, const float *from, int64_t ld_from, float *to, int64_t ld_to, int64_t rows,
                                  int32_t columns, float scale)
{
    for (int64_t r = 0; r < rows; r++) {
        for (int32_t c = 0; c < columns; c++) {
            to[r * ld_to + c] = scale * from[r * ld_from + c];
        }
    }
    return CFD_OK;
}

static cfd_status ref_create(const ops *like, ops **out)
{
    return ops_create_reference(like->memory, like->pool, like->log, out);
}

/* Every product is formed in double, so any precision may be asked for. */
static ops_bfloat16 ref_bfloat16(const ops *o)
{
    return OPS_BFLOAT16_NATIVE;
}

static bool ref_tf32(const ops *o)
{
    return true;
}

static size_t ref_scratch_bytes(const ops *o)
{
    return 0;
}

static const ops_table ref_table = {
    .name = "reference",
    .host_memory = true,
    .create = ref_create,
    .destroy = ref_destroy,
    .instruction_set = ref_instruction_set,
    .gemm = ref_gemm,
    .bfloat16 = ref_bfloat16,
    .tf32 = ref_tf32,
    .scratch_bytes = ref_scratch_bytes,
    .allocate = ref_allocate,
    .release = ref_release,
    .upload = ref_copy,
    .download = ref_copy,
    .copy = ref_copy,
    .zero = ref_zero,
    .synchronise = ref_synchronise,
    .mailbox_create = host_mailbox_create,
    .mailbox_destroy = host_mailbox_destroy,
    .mailbox_post = host_mailbox_post,
    .mailbox_read = host_mailbox_read,
    .copy_matrix = ref_copy_matrix,
    .spmm = ref_spmm,
    .features_create = ref_features_create,
    .features_destroy = ref_features_destroy,
    .features_bytes = ref_features_bytes,
    .project = ref_project,
    .project_gradient = ref_project_gradient,
    .cross_moment = ref_cross_moment,
    .inverse_sqrt = ref_inverse_sqrt,
    .inverse_sqrt_gradient = ref_inverse_sqrt_gradient,
    .multiply_right = ref_multiply_right,
    .draw_batch = ref_draw_batch,
    .batch_index = ref_batch_index,
    .bpr = ref_bpr,
    .pair_cosine = ref_pair_cosine,
    .penalty = ref_penalty,
    .adam = ref_adam,
    .score_block = ref_score_block,
    .score_pairs = ref_score_pairs,
    .scoring = ref_scoring,
    .set_scoring = ref_set_scoring,
    .keys_create = ref_keys_create,
    .keys_destroy = ref_keys_destroy,
    .sort_out_bytes = ref_sort_out_bytes,
    .sort_out = ref_sort_out,
    .ranker_create = host_ranker_create,
    .probe = ref_probe,
};

cfd_status ops_create_reference(const memory_source *memory, thread_pool *pool, log_sink log, ops **out)
{
    ops *o;
    TRY(memory_allocate_zero(memory, 1, sizeof *o, "the reference operations", &o));
    o->table = &ref_table;
    o->memory = memory;
    o->pool = pool;
    o->log = log;
    *out = o;
    return CFD_OK;
}
