/* SPDX-License-Identifier: Apache-2.0 */
/* Fused branch (SPEC 4.5): S = G_fused P, one hop more for all heads side by side, at the batch's rows. */
#include "model/sections.h"

static cfd_status hop(model *m, ops_rows rows, float *to)
{
    return m->device->table->spmm(m->device, &m->fused.forward, rows, NULL, m->p, m->head_columns, to, m->head_columns,
                                  m->head_columns, NULL);
}

cfd_status fusion_forward(model *m)
{
    return hop(m, ops_batch_rows(&m->batch), m->s);
}

cfd_status fusion_forward_all(model *m, const float **rows)
{
    TRY(hop(m, ops_all_rows, m->p_gradient));
    *rows = m->p_gradient;
    return CFD_OK;
}

cfd_status fusion_backward(model *m)
{
    int64_t ld = m->head_columns;
    const float whole = 1.0f;
    ops_addend direct = {.batch = &m->batch,
                         .rows = {m->p_rows_gradient, ld, m->head_columns, false},
                         .group = m->head_columns,
                         .weights = &whole};
    return m->device->table->spmm(m->device, &m->fused.transposed, ops_all_rows, m->batch.slots, m->s_gradient, ld,
                                  m->p_gradient, ld, m->head_columns, &direct);
}
