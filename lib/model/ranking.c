/* SPDX-License-Identifier: Apache-2.0 */
/* Ranking loss (SPEC 5): bpr(E) + sum_m mu_m bpr(V_m) + mu_fused bpr(S), all branches in one operation. V_m is the range of
 * P's columns that belongs to role m. */
#include "model/sections.h"

cfd_status ranking(model *m)
{
    ops_branch branches[CFD_MAX_MODALITIES + 2];
    int32_t n = 0;
    if (m->has_base) {
        branches[n++] = (ops_branch){
            .embedding = {m->last, m->d, m->d, false},
            .gradient = {m->last_gradient, m->d, m->d, false},
            .weight = 1.0f,
            .loss = m->losses + LOSS_RANKING_BASE,
        };
    }
    for (int32_t r = 0; r < m->n_roles; r++) {
        int32_t column = r * m->role_columns;
        branches[n++] = (ops_branch){
            .embedding = heads_rows(m, column, m->role_columns),
            .gradient = heads_rows_gradient(m, column, m->role_columns),
            .weight = (float)m->roles[r].own.mu,
            .loss = m->losses + LOSS_RANKING_ROLE + r,
        };
    }
    if (m->has_fused) {
        branches[n++] = (ops_branch){
            .embedding = {m->s, m->head_columns, m->head_columns, false},
            .gradient = {m->s_gradient, m->head_columns, m->head_columns, false},
            .weight = (float)m->values.mu_fused,
            .loss = m->losses + LOSS_RANKING_FUSED,
        };
    }
    return m->device->table->bpr(m->device, &m->batch, branches, n);
}
