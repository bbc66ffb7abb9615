/* SPDX-License-Identifier: Apache-2.0 */
/* Reference: products with the graph's sparse matrix. */
#include "ops/batch.h"
#include "ops/ref/ref.h"

/* What is added to one entry of the result. */
static double added(const ops_addend *add, int32_t row, int32_t column)
{
    const ops_batch *batch = add->batch;
    int32_t slot = batch->slots[row];
    if (slot < 0) {
        return 0;
    }
    int32_t times = add->by_appearance ? batch->offsets[slot + 1] - batch->offsets[slot] : 1;
    return (double)add->weights[column / add->group] * times * batch_row(batch, &add->rows, slot)[column];
}

static void add_losses(const ops_addend *add)
{
    const ops_batch *batch = add->batch;
    for (int32_t slot = 0; slot < *batch->count; slot++) {
        const float *row = batch_row(batch, &add->rows, slot);
        int32_t times = add->by_appearance ? batch->offsets[slot + 1] - batch->offsets[slot] : 1;
        for (int32_t c = 0; c < add->rows.width; c++) {
            if (add->weights[c / add->group] != 0) {
                *add->losses[c / add->group] += 0.5 * times * ((double)row[c] * row[c]);
            }
        }
    }
}

cfd_status ref_spmm(ops *o, const ops_csr *g, ops_rows output, const int32_t *input_slots, const float *x, int64_t ldx,
                    float *y, int64_t ldy, int32_t columns, const ops_addend *add)
{
    int32_t n = output.rows ? *output.count : g->rows;
    for (int32_t k = 0; k < n; k++) {
        int32_t row = output.rows ? output.rows[k] : k;
        for (int32_t c = 0; c < columns; c++) {
            double sum = 0;
            for (int64_t p = g->offsets[row]; p < g->offsets[row + 1]; p++) {
                int32_t j = input_slots ? input_slots[g->indices[p]] : g->indices[p];
                if (j >= 0) {
                    sum += (double)g->values[p] * x[j * ldx + c];
                }
            }
            y[k * ldy + c] = (float)(add ? sum + added(add, row, c) : sum);
        }
    }
    if (add && add->losses) {
        add_losses(add);
    }
    return CFD_OK;
}
