/* SPDX-License-Identifier: Apache-2.0 */
/* Dense features: the check that every number is finite, and copies out of the caller's memory. */
#include "base/half.h"
#include "data/dataset_parts.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- the check: loops over the bits of a row, such as compilers vectorise. Is a number not finite, is any not zero? ----
 */

static bool row_is_finite(const float *row, size_t columns, bool *empty)
{
    uint32_t set = 0;
    uint32_t not_finite = 0;
    for (size_t c = 0; c < columns; c++) {
        uint32_t bits;
        memcpy(&bits, &row[c], sizeof bits);
        bits &= 0x7fffffffu;
        set |= bits;
        not_finite |= bits >= 0x7f800000u;
    }
    *empty = set == 0;
    return not_finite == 0;
}

/* infinity: the type's bits of it. What is not finite has an exponent of ones, as infinity has; whether a magnitude reaches
 * it shows in the highest bit once the difference to 0x8000 is added. */
static bool short_row_is_finite(const uint16_t *row, size_t columns, uint16_t infinity, bool *empty)
{
    uint16_t add = (uint16_t)(0x8000u - infinity);
    uint16_t set = 0;
    uint16_t reached = 0;
    for (size_t c = 0; c < columns; c++) {
        uint16_t bits = row[c] & 0x7fffu;
        set |= bits;
        reached |= (uint16_t)(bits + add);
    }
    *empty = set == 0;
    return reached < 0x8000u;
}

static bool check_row(const ops_feature_source *f, size_t start, bool *empty)
{
    if (f->element == OPS_FLOAT32) {
        return row_is_finite((const float *)f->dense + start, (size_t)f->columns, empty);
    }
    return short_row_is_finite((const uint16_t *)f->dense + start, (size_t)f->columns,
                               f->element == OPS_FLOAT16 ? 0x7c00u : 0x7f80u, empty);
}

static float number_at(const ops_feature_source *f, size_t at)
{
    switch (f->element) {
    case OPS_FLOAT32: return ((const float *)f->dense)[at];
    case OPS_FLOAT16: return half_to_float(((const uint16_t *)f->dense)[at]);
    case OPS_BFLOAT16: return bfloat16_to_float(((const uint16_t *)f->dense)[at]);
    }
    return 0.0f;
}

cfd_status dense_check(const char *where, const ops_feature_source *features, int32_t *empty_rows)
{
    int32_t empty_count = 0;
    for (int32_t row = 0; row < features->rows; row++) {
        size_t start = (size_t)row * (size_t)features->columns;
        bool empty;
        if (!check_row(features, start, &empty)) {
            int32_t column = 0;
            while (isfinite(number_at(features, start + (size_t)column))) {
                column++;
            }
            bool nan = isnan(number_at(features, start + (size_t)column));
            return fail(CFD_ERROR_DATA, "%s: row %d, column %d (from 0) is %s", where, (int)row, (int)column,
                        nan                                ? "NaN"
                        : features->element == OPS_FLOAT32 ? "infinite as a float32"
                                                           : "infinite");
        }
        empty_count += empty;
    }
    *empty_rows = empty_count;
    return CFD_OK;
}

/* ---- copies ---- */

static ops_element kept_as(cfd_element element)
{
    return element == CFD_FLOAT16 ? OPS_FLOAT16 : element == CFD_BFLOAT16 ? OPS_BFLOAT16 : OPS_FLOAT32;
}

static void copy_row(const void *from, cfd_element element, size_t start, void *to, size_t place, size_t columns)
{
    if (element == CFD_FLOAT64) {
        const double *row = (const double *)from + start;
        float *out = (float *)to + place;
        for (size_t c = 0; c < columns; c++) {
            out[c] = row[c] > (double)FLT_MAX ? INFINITY : row[c] < -(double)FLT_MAX ? -INFINITY : (float)row[c];
        }
        return;
    }
    size_t bytes = ops_element_bytes(kept_as(element));
    memcpy((unsigned char *)to + place * bytes, (const unsigned char *)from + start * bytes, columns * bytes);
}

cfd_status dense_copy(const memory_source *memory, const char *name, const void *features, cfd_element element, int32_t rows,
                      int32_t columns, size_t stride, modality *out)
{
    size_t numbers;
    size_t reach; /* of the caller's matrix, in bytes of the widest type: an offset within it must not wrap */
    if (!checked_multiply((size_t)rows, (size_t)columns, &numbers) || !checked_multiply((size_t)rows, stride, &reach) ||
        !checked_multiply(reach, sizeof(double), &reach)) {
        return fail_memory("features", SIZE_MAX);
    }
    modality m = {.features = {.rows = rows, .columns = columns, .element = kept_as(element), .ld = columns}};
    TRY(memory_allocate(memory, numbers, ops_element_bytes(m.features.element), "features", &m.dense));
    m.features.dense = m.dense;
    for (int32_t row = 0; row < rows; row++) {
        copy_row(features, element, (size_t)row * stride, m.dense, (size_t)row * (size_t)columns, (size_t)columns);
    }
    char where[DATASET_NAME_BYTES + 16];
    snprintf(where, sizeof where, "modality %s", name);
    cfd_status status = dense_check(where, &m.features, &m.empty_items);
    if (status != CFD_OK) {
        memory_release(memory, m.dense);
        return status;
    }
    *out = m;
    return CFD_OK;
}
