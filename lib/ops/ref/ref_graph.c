/* SPDX-License-Identifier: Apache-2.0 */
/* Reference: products with the graph's sparse matrix. */
#include "ops/ref/ref.h"

cfd_status ref_spmm(ops *o, const ops_csr *g, ops_rows output, const int32_t *input_slots, const float *x, int64_t ldx,
                    float *y, int64_t ldy, int32_t columns)
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
            y[k * ldy + c] = (float)sum;
        }
    }
    return CFD_OK;
}

cfd_status ref_add_rows(ops *o, ops_rows rows, const float *x, int64_t ldx, float *y, int64_t ldy, int32_t columns)
{
    for (int32_t k = 0; k < *rows.count; k++) {
        for (int32_t c = 0; c < columns; c++) {
            y[rows.rows[k] * ldy + c] += x[k * ldx + c];
        }
    }
    return CFD_OK;
}
