/* SPDX-License-Identifier: Apache-2.0 */
/* The reference operations: every comment of ops.h as plainly as C can say it, one thread, every sum in double. They are
 * the oracle that the other backends are measured against. This header is theirs alone. */
#ifndef CFD_OPS_REF_REF_H
#define CFD_OPS_REF_REF_H

#include "ops/ops.h"

struct ops_features {
    ops_feature_source source;
    uint16_t *rounded; /* owned numbers of source.dense where they are stored in another type than given; else NULL */
};

/* graph */
cfd_status ref_spmm(ops *o, const ops_csr *g, ops_rows output, const int32_t *input_slots, const float *x, int64_t ldx,
                    float *y, int64_t ldy, int32_t columns, const ops_addend *add);
/* features */
cfd_status ref_features_create(ops *o, const ops_feature_source *source, const ops_feature_options *options,
                               ops_features **out);
void ref_features_destroy(ops *o, ops_features *features);
size_t ref_features_bytes(const ops *o, const ops_features *features);
cfd_status ref_project(ops *o, const ops_features *f, const float *w, int32_t n, float *y, int64_t ldy);
cfd_status ref_project_gradient(ops *o, const ops_features *f, const float *g, int64_t ldg, int32_t n, float *dw);
/* whitening */
cfd_status ref_cross_moment(ops *o, const float *a, int64_t lda, const float *b, int64_t ldb, int64_t rows, int32_t d,
                            int32_t heads, double scale, float *c);
cfd_status ref_inverse_sqrt(ops *o, const float *c, int32_t d, int32_t heads, double epsilon, float *q, float *roots,
                            float *z);
cfd_status ref_inverse_sqrt_gradient(ops *o, const float *q, const float *roots, const float *dz, int32_t d, int32_t heads,
                                     float *dc);
cfd_status ref_multiply_right(ops *o, const float *a, int64_t lda, const float *m, int64_t rows, int32_t d, int32_t heads,
                              float scale, bool add, float *y, int64_t ldy);
/* batch */
cfd_status ref_draw_batch(ops *o, const ops_sampler *sampler, int64_t step, int64_t epoch, int64_t position,
                          ops_batch *batch);
cfd_status ref_batch_index(ops *o, ops_batch *batch);
/* losses */
cfd_status ref_bpr(ops *o, const ops_batch *batch, const ops_branch *branches, int32_t n);
cfd_status ref_pair_cosine(ops *o, const ops_batch *batch, ops_cosine kind, ops_view x, ops_view y, const uint8_t *x_present,
                           const uint8_t *y_present, float weight, ops_view x_gradient, ops_view y_gradient, double *loss);
cfd_status ref_penalty(ops *o, const ops_batch *batch, ops_view x, float weight, ops_view gradient, double *loss);
/* update, serving */
cfd_status ref_adam(ops *o, const ops_adam_tensor *tensors, int32_t n, const ops_adam_settings *settings);
cfd_status ref_score_block(const ops *o, const float *queries, int64_t n_queries, const float *keys, int64_t n_keys,
                           int32_t width, float *scores, int64_t ld);
cfd_status ref_score_pairs(const ops *o, const float *row, const float *rows, const int32_t *ids, int64_t n, int32_t width,
                           float *scores);
ops_scoring ref_scoring(const ops *o);
cfd_status ref_set_scoring(ops *o, ops_scoring wanted);
cfd_status ref_keys_create(ops *o, const float *keys, int32_t n, int32_t width, ops_keys **out);
void ref_keys_destroy(ops *o, ops_keys *keys);
size_t ref_sort_out_bytes(const ops_keys *keys, int32_t n_queries, int32_t k, int32_t capacity);
cfd_status ref_sort_out(const ops *o, const ops_keys *keys, const ops_sorting *what);
cfd_status ref_probe(ops *o, const ops_probe *probe, double *seconds, size_t n);

#endif
