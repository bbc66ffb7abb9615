/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of X for new items: see encoder.h. Sums are double, one item at a time; rows of zeros stay zeros. */
#include "serve/encoder.h"

#include "base/half.h"
#include "data/dataset.h"

#include <math.h>
#include <string.h>

/* ---- checks ---- */

static float element_at(const void *dense, cfd_element element, size_t at)
{
    switch (element) {
    case CFD_FLOAT64: return (float)((const double *)dense)[at];
    case CFD_FLOAT16: return half_to_float(((const uint16_t *)dense)[at]);
    case CFD_BFLOAT16: return bfloat16_to_float(((const uint16_t *)dense)[at]);
    case CFD_FLOAT32: break;
    }
    return ((const float *)dense)[at];
}

static cfd_status check_dense(const cfd_item_features *f, size_t n, int32_t columns, const char *where)
{
    if (f->element < CFD_FLOAT32 || f->element > CFD_BFLOAT16) {
        return fail(CFD_ERROR_ARGUMENT, "%s: there is no element type %d", where, (int)f->element);
    }
    size_t numbers;
    if (f->stride < (size_t)columns || !checked_multiply(n, f->stride, &numbers) || numbers > PTRDIFF_MAX / sizeof(double)) {
        return fail(CFD_ERROR_ARGUMENT, "%s: a stride of %zu for %d columns and %zu items", where, f->stride, (int)columns,
                    n);
    }
    for (size_t item = 0; item < n; item++) {
        for (int32_t c = 0; c < columns; c++) {
            if (!isfinite(element_at(f->dense, (cfd_element)f->element, item * f->stride + (size_t)c))) {
                return fail(CFD_ERROR_DATA, "%s: the number of item %zu, column %d is not finite", where, item, (int)c);
            }
        }
    }
    return CFD_OK;
}

static cfd_status check_sparse(const cfd_item_features *f, size_t n, int32_t columns, const char *where)
{
    if (f->row_offsets[0] != 0) {
        return fail(CFD_ERROR_ARGUMENT, "%s: row_offsets[0] is %lld, not 0", where, (long long)f->row_offsets[0]);
    }
    for (size_t item = 0; item < n; item++) {
        if (f->row_offsets[item + 1] < f->row_offsets[item]) {
            return fail(CFD_ERROR_ARGUMENT, "%s: row_offsets[%zu] is less than the one before it", where, item + 1);
        }
    }
    size_t nonzeros = (size_t)f->row_offsets[n];
    if (nonzeros > 0 && !f->column_ids) {
        return fail(CFD_ERROR_ARGUMENT, "%s: column_ids is NULL", where);
    }
    for (size_t k = 0; k < nonzeros; k++) {
        if (f->column_ids[k] < 0 || f->column_ids[k] >= columns) {
            return fail(CFD_ERROR_ARGUMENT, "%s: column_ids[%zu] is %d, not from 0 to %d", where, k, (int)f->column_ids[k],
                        (int)columns - 1);
        }
        if (f->values && !isfinite(f->values[k])) {
            return fail(CFD_ERROR_DATA, "%s: values[%zu] is not finite", where, k);
        }
    }
    return CFD_OK;
}

cfd_status encoder_check(const snapshot *s, const cfd_item_features *f, size_t n, const char *where, encoder_input *out)
{
    int32_t role = f->role ? snapshot_role(s, f->role) : -1;
    if (role < 0) {
        return fail(CFD_ERROR_ARGUMENT, "%s: the model has no role \"%.80s\"", where, f->role ? f->role : "NULL");
    }
    int32_t columns = s->encoders[role].features;
    if (f->columns != columns) {
        return fail(CFD_ERROR_ARGUMENT, "%s: %d columns, but the model's %s has %d", where, (int)f->columns, f->role,
                    (int)columns);
    }
    if (!f->dense == !f->row_offsets) {
        return fail(CFD_ERROR_ARGUMENT, "%s: either dense or row_offsets must be there, not both", where);
    }
    TRY(f->dense ? check_dense(f, n, columns, where) : check_sparse(f, n, columns, where));
    *out = (encoder_input){role, f->dense, (cfd_element)f->element, f->stride, f->row_offsets, f->column_ids, f->values};
    return CFD_OK;
}

/* ---- rows ---- */

size_t encoder_room(const content_encoder *encoder)
{
    return 2 * (size_t)encoder->widest;
}

static void gather(const content_encoder *e, const encoder_input *in, size_t item, float *row)
{
    if (in->dense) {
        for (int32_t c = 0; c < e->features; c++) {
            row[c] = element_at(in->dense, in->element, item * in->stride + (size_t)c);
        }
        return;
    }
    memset(row, 0, (size_t)e->features * sizeof *row);
    for (int64_t k = in->offsets[item]; k < in->offsets[item + 1]; k++) {
        row[in->columns[k]] += in->values ? in->values[k] : 1.0f;
    }
    if (!in->values && e->idf) {
        dataset_weigh_tags(e->idf, row, e->features);
    }
}

/* to = row M for M of n x d; the sums are double. */
static void multiply(const float *row, int32_t n, const float *m, int32_t d, float *to)
{
    enum { TOGETHER = 16 };
    for (int32_t first = 0; first < d; first += TOGETHER) {
        int32_t columns = d - first < TOGETHER ? d - first : (int32_t)TOGETHER;
        double sums[TOGETHER] = {0};
        for (int32_t c = 0; c < n; c++) {
            const float *from = m + (size_t)c * (size_t)d + first;
            for (int32_t k = 0; k < columns && row[c] != 0.0f; k++) {
                sums[k] += (double)row[c] * from[k];
            }
        }
        for (int32_t k = 0; k < columns; k++) {
            to[first + k] = (float)sums[k];
        }
    }
}

cfd_status encoder_row(const snapshot *s, const encoder_input *in, size_t item, float *room, float *out)
{
    const content_encoder *e = &s->encoders[in->role];
    score_layout l = snapshot_layout(s);
    gather(e, in, item, room);
    float *row = transform_row(e->stages, e->n_stages, room, room + e->widest);
    float *other = row == room ? room + e->widest : room;
    for (int kind = 0; kind < SNAPSHOT_KINDS; kind++) {
        if (l.kinds[kind] < 0) {
            continue;
        }
        float *to = out + (size_t)l.kinds[kind] * (size_t)l.d;
        multiply(row, e->columns, e->weights[kind], l.d, to);
        if (e->whitening) {
            memcpy(other, to, (size_t)l.d * sizeof *to);
            multiply(other, l.d, e->whitening + (size_t)l.kinds[kind] * (size_t)l.d * (size_t)l.d, l.d, to);
        }
        for (int32_t c = 0; c < l.d; c++) {
            if (!isfinite(to[c])) {
                return fail(CFD_ERROR_NUMERIC, "item %zu: its %s embedding is not finite", item, s->roles[in->role]);
            }
        }
    }
    return CFD_OK;
}
