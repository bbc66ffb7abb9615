/* SPDX-License-Identifier: Apache-2.0 */
/* Projection (SPEC 4.2): Y_hm = F_m proj.h.m, a role's common and differential weights side by side in one product. */
#include "model/sections.h"

static float *items_rows(const model *m, float *nodes_rows, int32_t role)
{
    return nodes_rows + (size_t)m->users * (size_t)m->head_columns + (size_t)role * (size_t)m->role_columns;
}

cfd_status projection_forward(model *m)
{
    for (int32_t r = 0; r < m->n_roles; r++) {
        const model_role *role = &m->roles[r];
        float *to = role->whitened ? m->y + (size_t)r * (size_t)m->role_columns : items_rows(m, m->x, r);
        TRY(m->device->table->project(m->device, role->features, role->weights, m->role_columns, to, m->head_columns));
    }
    return CFD_OK;
}

cfd_status projection_backward(model *m)
{
    for (int32_t r = 0; r < m->n_roles; r++) {
        model_role *role = &m->roles[r];
        const float *from = items_rows(m, role->whitened ? m->p_gradient : m->x_gradient, r);
        TRY(m->device->table->project_gradient(m->device, role->features, from, m->head_columns, m->role_columns,
                                               role->gradient));
    }
    return CFD_OK;
}
