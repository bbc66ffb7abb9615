/* SPDX-License-Identifier: Apache-2.0 */
/* What fitting a transform and applying it share: one row at a time. */
#ifndef CFD_DATA_TRANSFORM_ROWS_H
#define CFD_DATA_TRANSFORM_ROWS_H

#include "data/transform.h"

bool transform_row_is_zero(const float *row, int32_t columns);
/* `n` numbers of the source's type, from number `start` on, as float32. */
void transform_widen(const ops_feature_source *f, size_t start, float *to, size_t n);
/* Subtracts the mean and multiplies by the scale, if there is one; leaves a row of zeros. */
void transform_center_row(const transform_stage *stage, float *row);
/* To norm 1; leaves a row of zeros. */
void transform_normalise(float *row, int64_t n);
/* An array that a stage learns; the transform owns it. */
cfd_status transform_learn(transform *t, size_t n, const char *what, float **out);

#endif
