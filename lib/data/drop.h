/* SPDX-License-Identifier: Apache-2.0 */
/* Features of a share of the items left out at random (drop.ROLE), to measure what a model makes of items that lack a
 * modality. */
#ifndef CFD_DATA_DROP_H
#define CFD_DATA_DROP_H

#include "base/memory.h"
#include "ops/ops.h"

typedef struct dropped_features {
    const memory_source *memory;
    ops_feature_source features; /* the rows that were drawn are zeros; of a sparse matrix the values alone are new */
    void *owned;                 /* of the source's type, or the sparse values */
    int32_t n;                   /* rows that were drawn */
} dropped_features;

/* Every row is drawn by itself, with the probability `share`: which ones depends on seed, modality and row alone, and what a
 * share draws a larger one draws too. What a sparse source points to
 * must outlive the result. */
cfd_status drop_features(const memory_source *memory, uint64_t seed, int32_t modality, double share,
                         const ops_feature_source *source, dropped_features *out);
void dropped_features_release(dropped_features *dropped); /* accepts a zeroed struct */

#endif
