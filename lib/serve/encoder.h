/* SPDX-License-Identifier: Apache-2.0 */
/* From the features of items that the model has not met to their rows of X (SPEC 4.2, 4.3): weighted, transformed, projected
 * and whitened by what training left. */
#ifndef CFD_SERVE_ENCODER_H
#define CFD_SERVE_ENCODER_H

#include "serve/snapshot.h"

/* A role's features of n items, checked against the snapshot. */
typedef struct encoder_input {
    int32_t role;
    const void *dense; /* n rows; NULL: sparse */
    cfd_element element;
    size_t stride;          /* numbers from row to row */
    const int64_t *offsets; /* n + 1 */
    const int32_t *columns;
    const float *values; /* NULL: 1 each, and weighted as tags are where the role's features were tags */
} encoder_input;

/* Checks a caller's features of n items: the role is there, the columns fit, every number is finite. `where` names the
 * culprit. */
cfd_status encoder_check(const snapshot *s, const cfd_item_features *features, size_t n, const char *where,
                         encoder_input *out);

/* Numbers of scratch that encoder_row needs. */
size_t encoder_room(const content_encoder *encoder);
/* X of one item in one role: kinds x d numbers, zero where the features are. CFD_ERROR_NUMERIC: not finite. */
cfd_status encoder_row(const snapshot *s, const encoder_input *input, size_t item, float *room, float *out);

#endif
