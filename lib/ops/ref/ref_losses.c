/* SPDX-License-Identifier: Apache-2.0 */
/* Reference: drawing and indexing of a batch, and the losses of SPEC 5 with their gradients, straight from their
 * definitions: loops over triples and over appearances. */
#include "ops/batch.h"
#include "ops/ref/ref.h"

#include <math.h>

cfd_status ref_draw_batch(ops *o, const ops_sampler *sampler, int64_t step, int64_t epoch, int64_t position,
                          ops_batch *batch)
{
    batch->size = ops_draw_size(sampler, position, batch->capacity);
    batch_draw_range(sampler, step, epoch, position, batch, 0, batch->size);
    return CFD_OK;
}

cfd_status ref_batch_index(ops *o, ops_batch *batch)
{
    batch_build_index(batch);
    return CFD_OK;
}

static double dot(const float *x, const float *y, int32_t width)
{
    double sum = 0;
    for (int32_t c = 0; c < width; c++) {
        sum += (double)x[c] * y[c];
    }
    return sum;
}

/* x_u.x_i - x_u.x_j of a triple. */
static double margin(const ops_batch *batch, const ops_view *view, int32_t b)
{
    const float *user = batch_node_row(batch, view, batch_node(batch, b, 0));
    return dot(user, batch_node_row(batch, view, batch_node(batch, b, 1)), view->width) -
           dot(user, batch_node_row(batch, view, batch_node(batch, b, 2)), view->width);
}

static double softplus(double x)
{
    return (x > 0 ? x : 0) + log1p(exp(-fabs(x)));
}

/* The derivative of softplus. */
static double sigmoid(double x)
{
    double e = exp(-fabs(x));
    return x > 0 ? 1 / (1 + e) : e / (1 + e);
}

/* The gradient of one entry of a slot's row: the sum over its appearances. */
static double bpr_entry(const ops_batch *batch, const ops_branch *branch, const double *coefficients, int32_t slot,
                        int32_t c)
{
    double sum = 0;
    for (int32_t p = batch->offsets[slot]; p < batch->offsets[slot + 1]; p++) {
        int32_t b = batch->occurrences[p] / 3;
        int32_t role = batch->occurrences[p] % 3;
        double user = batch_node_row(batch, &branch->embedding, batch_node(batch, b, 0))[c];
        double positive = batch_node_row(batch, &branch->embedding, batch_node(batch, b, 1))[c];
        double negative = batch_node_row(batch, &branch->embedding, batch_node(batch, b, 2))[c];
        sum += coefficients[b] * (role == 0 ? positive - negative : role == 1 ? user : -user);
    }
    return sum;
}

cfd_status ref_bpr(ops *o, const ops_batch *batch, const ops_branch *branches, int32_t n)
{
    if (batch->size == 0) {
        return CFD_OK;
    }
    double *coefficients;
    TRY(memory_allocate(o->memory, (size_t)batch->size, sizeof *coefficients, "a batch's coefficients", &coefficients));
    for (int32_t k = 0; k < n; k++) {
        const ops_branch *branch = &branches[k];
        double loss = 0;
        for (int32_t b = 0; b < batch->size; b++) {
            double x = margin(batch, &branch->embedding, b);
            loss += softplus(-x);
            coefficients[b] = -(double)branch->weight / batch->size * sigmoid(-x);
        }
        *branch->loss += loss / batch->size;
        for (int32_t slot = 0; slot < *batch->count; slot++) {
            float *gradient = batch_row(batch, &branch->gradient, slot);
            for (int32_t c = 0; c < branch->embedding.width; c++) {
                gradient[c] = (float)bpr_entry(batch, branch, coefficients, slot, c);
            }
        }
    }
    memory_release(o->memory, coefficients);
    return CFD_OK;
}

static double cosine_function(ops_cosine kind, double c)
{
    return kind == OPS_COSINE_ALIGN ? 1 - c : kind == OPS_COSINE_RELEASED ? c : sqrt(c * c + 1e-8);
}

static double cosine_derivative(ops_cosine kind, double c)
{
    return kind == OPS_COSINE_ALIGN ? -1 : kind == OPS_COSINE_RELEASED ? 1 : c / sqrt(c * c + 1e-8);
}

cfd_status ref_pair_cosine(ops *o, const ops_batch *batch, ops_cosine kind, ops_view x, ops_view y, const uint8_t *x_present,
                           const uint8_t *y_present, float weight, ops_view x_gradient, ops_view y_gradient, double *loss)
{
    double sum = 0;
    for (int32_t slot = 0; slot < *batch->count; slot++) {
        int32_t times = 0;
        for (int32_t p = batch->offsets[slot]; p < batch->offsets[slot + 1]; p++) {
            times += batch->occurrences[p] % 3 != 2;
        }
        const float *left = batch_row(batch, &x, slot);
        const float *right = batch_row(batch, &y, slot);
        double left_norm = sqrt(dot(left, left, x.width));
        double right_norm = sqrt(dot(right, right, x.width));
        bool lacking = batch_lacks(batch, x_present, y_present, slot);
        if (times == 0 || lacking || left_norm == 0 || right_norm == 0) {
            continue;
        }
        double cosine = dot(left, right, x.width) / left_norm / right_norm;
        sum += times * cosine_function(kind, cosine);
        double outer = (double)weight * times / batch->size * cosine_derivative(kind, cosine);
        float *into_left = batch_row(batch, &x_gradient, slot);
        float *into_right = batch_row(batch, &y_gradient, slot);
        for (int32_t c = 0; c < x.width; c++) {
            double unit_left = left[c] / left_norm;
            double unit_right = right[c] / right_norm;
            into_left[c] = (float)(into_left[c] + outer * (unit_right - cosine * unit_left) / left_norm);
            into_right[c] = (float)(into_right[c] + outer * (unit_left - cosine * unit_right) / right_norm);
        }
    }
    if (batch->size > 0) {
        *loss += sum / batch->size;
    }
    return CFD_OK;
}

cfd_status ref_penalty(ops *o, const ops_batch *batch, ops_view x, float weight, ops_view gradient, double *loss)
{
    double sum = 0;
    for (int32_t slot = 0; slot < *batch->count; slot++) {
        int32_t times = batch->offsets[slot + 1] - batch->offsets[slot];
        const float *row = batch_row(batch, &x, slot);
        float *into = batch_row(batch, &gradient, slot);
        sum += 0.5 * times * dot(row, row, x.width);
        for (int32_t c = 0; c < x.width; c++) {
            into[c] = (float)(into[c] + (double)weight * times * row[c]);
        }
    }
    *loss += sum;
    return CFD_OK;
}
