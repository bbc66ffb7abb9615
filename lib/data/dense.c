/* SPDX-License-Identifier: Apache-2.0 */
/* Dense features: the check that every number is finite, and copies out of the caller's memory. */
#include "data/dataset_parts.h"
#include "io/half.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Looks at the bits of a row, a loop that compilers vectorise: is a number not finite, is any not zero? */
static bool row_is_finite(const float *row, int32_t columns, bool *empty)
{
    uint32_t set = 0;
    uint32_t not_finite = 0;
    for (int32_t c = 0; c < columns; c++) {
        uint32_t bits;
        memcpy(&bits, &row[c], sizeof bits);
        bits &= 0x7fffffffu;
        set |= bits;
        not_finite |= bits >= 0x7f800000u;
    }
    *empty = set == 0;
    return not_finite == 0;
}

cfd_status dense_check(const char *where, const float *values, int32_t rows, int32_t columns, int32_t *empty_rows)
{
    int32_t empty_count = 0;
    for (int32_t row = 0; row < rows; row++) {
        const float *numbers = values + (size_t)row * (size_t)columns;
        bool empty;
        if (!row_is_finite(numbers, columns, &empty)) {
            int32_t column = 0;
            while (isfinite(numbers[column])) {
                column++;
            }
            return fail(CFD_ERROR_DATA, "%s: row %d, column %d (from 0) is %s", where, (int)row, (int)column,
                        isnan(numbers[column]) ? "NaN" : "infinite as a float32");
        }
        empty_count += empty;
    }
    *empty_rows = empty_count;
    return CFD_OK;
}

static void copy_row(const void *from, cfd_element element, size_t start, float *to, int32_t columns)
{
    if (element == CFD_FLOAT32) {
        memcpy(to, (const float *)from + start, (size_t)columns * sizeof *to);
    } else if (element == CFD_FLOAT64) {
        const double *row = (const double *)from + start;
        for (int32_t c = 0; c < columns; c++) {
            to[c] = row[c] > (double)FLT_MAX ? INFINITY : row[c] < -(double)FLT_MAX ? -INFINITY : (float)row[c];
        }
    } else {
        const uint16_t *row = (const uint16_t *)from + start;
        for (int32_t c = 0; c < columns; c++) {
            to[c] = half_to_float(row[c]);
        }
    }
}

cfd_status dense_copy(const memory_source *memory, const char *name, const void *features, cfd_element element,
                      int32_t rows, int32_t columns, size_t stride, modality *out)
{
    size_t numbers;
    size_t reach; /* of the caller's matrix: an offset within it must not wrap */
    if (!checked_multiply((size_t)rows, (size_t)columns, &numbers) || !checked_multiply((size_t)rows, stride, &reach)) {
        return fail_memory("features", SIZE_MAX);
    }
    modality m = {0};
    TRY(memory_allocate(memory, numbers, sizeof *m.dense, "features", &m.dense));
    for (int32_t row = 0; row < rows; row++) {
        copy_row(features, element, (size_t)row * stride, m.dense + (size_t)row * (size_t)columns, columns);
    }
    char where[DATASET_NAME_BYTES + 16];
    snprintf(where, sizeof where, "modality %s", name);
    cfd_status status = dense_check(where, m.dense, rows, columns, &m.empty_items);
    if (status != CFD_OK) {
        memory_release(memory, m.dense);
        return status;
    }
    m.features = (ops_feature_source){.rows = rows, .columns = columns, .dense = m.dense, .ld = columns};
    *out = m;
    return CFD_OK;
}
