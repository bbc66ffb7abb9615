/* SPDX-License-Identifier: Apache-2.0 */
/* What is done to a modality's features before the model sees them: "center,l2,svd:300", in the order given. What each stage
 * learnt from the features is kept, so that it can be stored with the model and new items be transformed alike.
 *
 *   center        subtracts the mean of each column
 *   standardize   subtracts the mean and divides by the standard deviation (a constant column becomes 0)
 *   l2            scales each row to norm 1
 *   svd:K         the K leading left singular vectors times their singular values, scaled to unit mean row norm
 *
 * A row of zeros is an item without this modality: it takes no part in means and stays zero. */
#ifndef CFD_DATA_TRANSFORM_H
#define CFD_DATA_TRANSFORM_H

#include "model/settings.h"
#include "ops/ops.h"

typedef struct transform_stage {
    enum transform_kind kind;
    int32_t in, out;    /* columns before and after */
    const float *mean;  /* in; center, standardize */
    const float *scale; /* in; standardize: 1 / standard deviation */
    const float *basis; /* in x out; svd: new features are old features times basis */
} transform_stage;

typedef struct transform {
    const memory_source *memory;
    transform_stage stages[SETTINGS_MAX_STAGES];
    int32_t n_stages;
    float *learnt[3 * SETTINGS_MAX_STAGES]; /* owned: the stages' arrays */
    int32_t n_learnt;
    /* the transformed features, host memory: points into the caller's where no stage changed them */
    ops_feature_source features;
    float *dense;  /* owned, may be NULL */
    float *values; /* owned values of sparse features, may be NULL */
} transform;

/* Fits and applies `spec` ("none", or stages separated by commas) to features that outlive the result.
 * `role` names the culprit in messages. The device does the svd's products; its random start derives from the seed. */
cfd_status transform_fit(const memory_source *memory, ops *device, uint64_t seed, const char *role, const char *spec,
                         const ops_feature_source *features, transform *out);
void transform_release(transform *t); /* accepts a zeroed struct */

/* What the stages of `fitted` make of other features of the same columns (where there are no stages, any). The result has
 * copies of what they have learnt. */
cfd_status transform_apply(const memory_source *memory, const transform *fitted, const char *role,
                           const ops_feature_source *features, transform *out);
/* What fitted stages make of a further row: in place or in `other`, whichever is returned. Both have room for the widest
 * stage's columns, before and after. */
float *transform_row(const transform_stage *stages, int32_t n_stages, float *row, float *other);

/* svd.c: basis (columns x rank, host, allocated here) such that features times basis are U diag(s) of the leading singular
 * triplets; a triplet beyond the numerical rank gives a column of zeros. rank is at most rows and columns. */
cfd_status svd_basis(const memory_source *memory, ops *device, uint64_t seed, const ops_feature_source *features,
                     int32_t rank, float **basis);
/* Features times basis, into rows x rank of host memory. */
cfd_status svd_apply(ops *device, const ops_feature_source *features, const float *basis, int32_t rank, float *out);

#endif
