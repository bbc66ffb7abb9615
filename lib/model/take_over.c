/* SPDX-License-Identifier: Apache-2.0 */
/* A model that goes on where a smaller one was: rows that both have are copied, through host memory, since their devices may
 * differ. */
#include "model/model.h"

/* `rows` rows of `columns` numbers, contiguous on both sides. */
static cfd_status move(model *m, const model *from, const float *source, float *target, int64_t rows, int32_t columns)
{
    size_t n = (size_t)rows * (size_t)columns;
    float *host;
    TRY(memory_allocate(m->memory, n, sizeof *host, "a copy of a parameter", &host));
    cfd_status status;
    TRY_OR(done, from->device->table->download(from->device, host, source, n * sizeof *host));
    TRY_OR(done, m->device->table->upload(m->device, target, host, n * sizeof *host));
    TRY_OR(done, m->device->table->synchronise(m->device));
done:
    memory_release(m->memory, host);
    return status;
}

/* Users' rows, then items', in the place that they have here. */
static cfd_status move_nodes(model *m, const model *from, const float *source, float *target)
{
    TRY(move(m, from, source, target, from->users, m->d));
    return move(m, from, source + (size_t)from->users * (size_t)m->d, target + (size_t)m->users * (size_t)m->d, from->items,
                m->d);
}

static cfd_status check(const model *m, const model *from)
{
    if (m->n_roles != from->n_roles || m->users < from->users || m->items < from->items) {
        return fail(CFD_ERROR_DATA, "%d users, %d items and %d modalities do not include %d, %d and %d", (int)m->users,
                    (int)m->items, (int)m->n_roles, (int)from->users, (int)from->items, (int)from->n_roles);
    }
    for (int32_t r = 0; r < m->n_roles; r++) {
        if (m->roles[r].columns < from->roles[r].columns) {
            return fail(CFD_ERROR_DATA, "role %s: %d columns do not include %d", m->roles[r].own.role,
                        (int)m->roles[r].columns, (int)from->roles[r].columns);
        }
    }
    return CFD_OK;
}

cfd_status model_take_over(model *m, const model *from)
{
    TRY(check(m, from));
    if (m->has_base) {
        TRY(move_nodes(m, from, from->e0, m->e0));
        TRY(move_nodes(m, from, from->e0_moment1, m->e0_moment1));
        TRY(move_nodes(m, from, from->e0_moment2, m->e0_moment2));
    }
    if (m->n_roles > 0) {
        TRY(move(m, from, from->x, m->x, from->users, m->head_columns));
        TRY(move(m, from, from->x_moment1, m->x_moment1, from->users, m->head_columns));
        TRY(move(m, from, from->x_moment2, m->x_moment2, from->users, m->head_columns));
    }
    for (int32_t r = 0; r < m->n_roles; r++) {
        const model_role *source = &from->roles[r];
        model_role *role = &m->roles[r];
        TRY(move(m, from, source->weights, role->weights, source->columns, m->role_columns));
        TRY(move(m, from, source->moment1, role->moment1, source->columns, m->role_columns));
        TRY(move(m, from, source->moment2, role->moment2, source->columns, m->role_columns));
    }
    m->steps_done = from->steps_done;
    m->parameter_steps = from->parameter_steps;
    return CFD_OK;
}
