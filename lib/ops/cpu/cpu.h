/* SPDX-License-Identifier: Apache-2.0 */
/* The cpu backend: operations cut into blocks that the operands alone fix, handed to the context's threads; inner loops from
 * kernels.h, dense products from gemm.h. This header is the backend's own. */
#ifndef CFD_OPS_CPU_CPU_H
#define CFD_OPS_CPU_CPU_H

#include "ops/cpu/gemm.h"
#include "ops/cpu/kernels.h"
#include "ops/cpu/kernels_short.h"
#include "ops/ops.h"

#include <stdatomic.h>

typedef struct cpu_ops {
    ops base;
    const cpu_kernels *kernels;
    const short_kernels *short_loops; /* those that go with `kernels` */
    ops_scoring scoring_asked;
    char gemm[GEMM_NAME_BYTES];
    unsigned char *scratch; /* one operation's at a time */
    size_t scratch_bytes;
} cpu_ops;

/* ---- scratch: several arrays in one piece of memory that only grows ---- */

typedef struct cpu_layout {
    size_t bytes;
    bool overflow;
} cpu_layout;

/* Reserves count x size bytes in a layout and returns where they begin. */
size_t cpu_reserve(cpu_layout *layout, size_t count, size_t size);
/* Memory for a layout; valid until the instance's next operation. */
cfd_status cpu_scratch(cpu_ops *cpu, const cpu_layout *layout, const char *what, unsigned char **out);

/* ---- dense products inside blocks ---- */

/* Keeps the first failure of a block's gemm, so that the calling thread can report it. */
static inline void cpu_note(atomic_int *failure, cfd_status status)
{
    if (status != CFD_OK) {
        atomic_store_explicit(failure, (int)status, memory_order_relaxed);
    }
}
cfd_status cpu_gemm_result(const cpu_ops *cpu, int failure, const char *what);

/* ---- graph ---- */
cfd_status cpu_spmm(ops *o, const ops_csr *g, ops_rows output, const int32_t *input_slots, const float *x, int64_t ldx,
                    float *y, int64_t ldy, int32_t columns, const ops_addend *add);
/* ---- features ---- */
cfd_status cpu_features_create(ops *o, const ops_feature_source *source, const ops_feature_options *options,
                               ops_features **out);
void cpu_features_destroy(ops *o, ops_features *features);
size_t cpu_features_bytes(const ops *o, const ops_features *features);
cfd_status cpu_project(ops *o, const ops_features *f, const float *w, int32_t n, float *y, int64_t ldy);
cfd_status cpu_project_gradient(ops *o, const ops_features *f, const float *g, int64_t ldg, int32_t n, float *dw);
/* ---- whitening ---- */
cfd_status cpu_cross_moment(ops *o, const float *a, int64_t lda, const float *b, int64_t ldb, int64_t rows, int32_t d,
                            int32_t heads, double scale, float *c);
cfd_status cpu_inverse_sqrt(ops *o, const float *c, int32_t d, int32_t heads, double epsilon, float *q, float *roots,
                            float *z);
cfd_status cpu_inverse_sqrt_gradient(ops *o, const float *q, const float *roots, const float *dz, int32_t d, int32_t heads,
                                     float *dc);
cfd_status cpu_multiply_right(ops *o, const float *a, int64_t lda, const float *m, int64_t rows, int32_t d, int32_t heads,
                              float scale, bool add, float *y, int64_t ldy);
/* ---- batch and losses ---- */
cfd_status cpu_draw_batch(ops *o, const ops_sampler *sampler, int64_t step, int64_t epoch, int64_t position,
                          ops_batch *batch);
cfd_status cpu_batch_index(ops *o, ops_batch *batch);
cfd_status cpu_bpr(ops *o, const ops_batch *batch, const ops_branch *branches, int32_t n);
cfd_status cpu_pair_cosine(ops *o, const ops_batch *batch, ops_cosine kind, ops_view x, ops_view y, const uint8_t *x_present,
                           const uint8_t *y_present, float weight, ops_view x_gradient, ops_view y_gradient, double *loss);
cfd_status cpu_penalty(ops *o, const ops_batch *batch, ops_view x, float weight, ops_view gradient, double *loss);
/* ---- update and serving ---- */
cfd_status cpu_adam(ops *o, const ops_adam_tensor *tensors, int32_t n, const ops_adam_settings *settings);
cfd_status cpu_score_block(const ops *o, const float *queries, int64_t n_queries, const float *keys, int64_t n_keys,
                           int32_t width, float *scores, int64_t ld);
cfd_status cpu_score_pairs(const ops *o, const float *row, const float *rows, const int32_t *ids, int64_t n, int32_t width,
                           float *scores);
ops_scoring cpu_scoring(const ops *o);
cfd_status cpu_set_scoring(ops *o, ops_scoring wanted);
cfd_status cpu_keys_create(ops *o, const float *keys, int32_t n, int32_t width, ops_keys **out);
void cpu_keys_destroy(ops *o, ops_keys *keys);
size_t cpu_sort_out_bytes(const ops_keys *keys, int32_t n_queries, int32_t k, int32_t capacity);
cfd_status cpu_sort_out(const ops *o, const ops_keys *keys, const ops_sorting *what);
/* Rounds a query (to 4 * groups of integers) and finds its factors, in units of its scale; gives up where it cannot be
 * bounded. With the keys themselves, for those who test the bounds. */
void cpu_round_query(const ops_keys *keys, const float *row, int8_t *rounded, short_query *query);
const short_keys *cpu_short_keys(const ops_keys *keys);

/* ---- measuring ---- */
cfd_status cpu_probe(ops *o, const ops_probe *probe, double *seconds, size_t n);

static inline cpu_ops *cpu_of(ops *o)
{
    return (cpu_ops *)o; /* base is its first member */
}

#endif
