/* SPDX-License-Identifier: Apache-2.0 */
/* Penalty (SPEC 5): decay / B * 1/2 * the squared norms of the batch's rows, a row drawn twice counting twice. Base and
 * modality branch: rows before propagation; fused branch: rows after it. */
#include "model/sections.h"

static float weight_of(const model *m, double rho)
{
    return (float)(m->values.decay * rho / m->values.batch_size);
}

cfd_status penalty_after_propagation(model *m)
{
    float weight = weight_of(m, m->values.rho_fused);
    if (!m->has_fused || weight == 0.0f) {
        return CFD_OK;
    }
    ops_view rows = {m->s, m->head_columns, m->head_columns, false};
    ops_view gradient = {m->s_gradient, m->head_columns, m->head_columns, false};
    return m->device->table->penalty(m->device, &m->batch, rows, weight, gradient, m->losses + LOSS_PENALTY_FUSED);
}

cfd_status penalty_before_propagation(model *m)
{
    const ops_table *t = m->device->table;
    float weight = weight_of(m, 1.0);
    if (m->has_base && weight != 0.0f) {
        ops_view rows = {m->e0, m->d, m->d, true};
        ops_view gradient = {m->e0_gradient, m->d, m->d, true};
        TRY(t->penalty(m->device, &m->batch, rows, weight, gradient, m->losses + LOSS_PENALTY_BASE));
    }
    for (int32_t r = 0; r < m->n_roles; r++) {
        weight = weight_of(m, m->roles[r].own.rho);
        if (weight != 0.0f) {
            int32_t column = r * m->role_columns;
            ops_view rows = {m->x + column, m->head_columns, m->role_columns, true};
            ops_view gradient = {m->x_gradient + column, m->head_columns, m->role_columns, true};
            TRY(t->penalty(m->device, &m->batch, rows, weight, gradient, m->losses + LOSS_PENALTY_ROLE + r));
        }
    }
    return CFD_OK;
}
