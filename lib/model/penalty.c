/* SPDX-License-Identifier: Apache-2.0 */
/* Penalty (SPEC 5): decay / B * 1/2 * the squared norms of the batch's rows, a row drawn twice counting twice. Base and
 * modality branch: rows before propagation; fused branch: rows after it.
 *
 * Before propagation its gradient goes to rows of a gradient that the last product with the graph writes: it is added there,
 * so that no pass over those rows is needed. */
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

/* Of these rows, by node: every group of columns with a weight of its own. NULL where nothing is penalised. */
static const ops_addend *addend_of(const model *m, float *rows, int64_t ld, int32_t width, int32_t groups,
                                   penalty_addend *own)
{
    bool any = false;
    for (int32_t g = 0; g < groups; g++) {
        any = any || own->weights[g] != 0.0f;
    }
    own->addend = (ops_addend){.batch = &m->batch,
                               .rows = {rows, ld, width, true},
                               .by_appearance = true,
                               .group = width / groups,
                               .weights = own->weights,
                               .losses = own->losses};
    return any ? &own->addend : NULL;
}

const ops_addend *penalty_of_ids(const model *m, penalty_addend *own)
{
    own->weights[0] = weight_of(m, 1.0);
    own->losses[0] = m->losses + LOSS_PENALTY_BASE;
    return addend_of(m, m->e0, m->d, m->d, 1, own);
}

const ops_addend *penalty_of_heads(const model *m, penalty_addend *own)
{
    for (int32_t r = 0; r < m->n_roles; r++) {
        own->weights[r] = weight_of(m, m->roles[r].own.rho);
        own->losses[r] = m->losses + LOSS_PENALTY_ROLE + r;
    }
    return addend_of(m, m->x, m->head_columns, m->head_columns, m->n_roles, own);
}

const ops_addend *penalty_of_head(const model *m, int32_t role, enum model_kind kind, penalty_addend *own)
{
    own->weights[0] = weight_of(m, m->roles[role].own.rho);
    own->losses[0] = m->losses + LOSS_PENALTY_ROLE + role;
    return addend_of(m, m->x + model_head_column(m, role, kind), m->head_columns, m->d, 1, own);
}
