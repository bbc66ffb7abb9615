/* SPDX-License-Identifier: Apache-2.0 */
/* Base branch (SPEC 4.1): E_l = G_base E_{l-1}; only the last layer is kept. It is linear, so nothing of the forward pass is
 * needed for the backward one: the gradient walks back through the transpose, which is a graph of its own. */
#include "model/sections.h"

/* All layers but the last; *rows is its input. */
static cfd_status walk(model *m, const float **rows)
{
    const float *from = m->e0;
    for (int32_t l = 0; l < m->layers - 1; l++) {
        float *to = m->layer[l % 2];
        TRY(m->device->table->spmm(m->device, &m->base.forward, ops_all_rows, NULL, from, m->d, to, m->d, m->d, NULL));
        from = to;
    }
    *rows = from;
    return CFD_OK;
}

cfd_status propagation_forward(model *m)
{
    const float *from;
    TRY(walk(m, &from));
    return m->device->table->spmm(m->device, &m->base.forward, ops_batch_rows(&m->batch), NULL, from, m->d, m->last, m->d,
                                  m->d, NULL);
}

cfd_status propagation_forward_all(model *m, const float **rows)
{
    const float *from;
    TRY(walk(m, &from));
    float *to = m->layer[(m->layers - 1) % 2];
    TRY(m->device->table->spmm(m->device, &m->base.forward, ops_all_rows, NULL, from, m->d, to, m->d, m->d, NULL));
    *rows = to;
    return CFD_OK;
}

cfd_status propagation_backward(model *m)
{
    float *from = m->last_gradient;
    const int32_t *slots = m->batch.slots;
    penalty_addend own;
    for (int32_t l = 0; l < m->layers; l++) {
        float *to = m->layer[l % 2];
        const ops_addend *add = l == m->layers - 1 ? penalty_of_ids(m, &own) : NULL;
        TRY(m->device->table->spmm(m->device, &m->base.transposed, ops_all_rows, slots, from, m->d, to, m->d, m->d, add));
        from = to;
        slots = NULL;
    }
    m->e0_gradient = from;
    return CFD_OK;
}
