/* SPDX-License-Identifier: Apache-2.0 */
/* Items that are near to a row, by the cosine over a part of the key rows' columns. */
#ifndef CFD_SERVE_SIMILAR_H
#define CFD_SERVE_SIMILAR_H

#include "serve/scorer.h"
#include "serve/snapshot.h"

/* Columns that count: [begin, end) of each range. */
typedef struct key_part {
    int32_t n;
    struct {
        int32_t begin, end;
    } ranges[CFD_MAX_MODALITIES];
} key_part;

/* The best k items for each of n rows (width numbers, of which those of the part count), by cosine times `sign`, descending,
 * ties by the lower id. A row or key that is zero in the part has cosine 0. rows NULL: the key rows of the n items `own`,
 * each left out of its own list; else own is NULL. `filter` may be NULL, and must not leave out what users have. items,
 * scores, counts: as cfd_recommend's. */
cfd_status similar_items(const scorer *s, const key_part *part, float sign, const float *rows, const int32_t *own, size_t n,
                         size_t k, const cfd_filter *filter, int32_t *items, float *scores, int32_t *counts);

#endif
