/* SPDX-License-Identifier: Apache-2.0 */
/* Whitening (SPEC 4.3): X = Y Z with Z = (C + eps Id)^(-1/2) and C = Y^T Y / I, for every head of the roles that ask for it.
 *
 *   dZ = Y^T dX        dC = Q (K o (Q^T sym(dZ) Q)) Q^T        dY = dX Z + 2/I Y dC
 *
 * Z and dC are symmetric. Whitened roles that stand side by side are one call. */
#include "model/sections.h"

/* The next run of whitened roles from *role on; false if there is none. */
static bool next_run(const model *m, int32_t *role, int32_t *length)
{
    while (*role < m->n_roles && !m->roles[*role].whitened) {
        ++*role;
    }
    *length = 0;
    while (*role + *length < m->n_roles && m->roles[*role + *length].whitened) {
        ++*length;
    }
    return *length > 0;
}

/* What belongs to a run of roles. */
typedef struct run {
    int32_t heads;
    const float *y;
    int64_t below; /* elements from a nodes matrix's start to the items' rows of the run */
    float *moment, *eigenvectors, *roots, *inverse_root, *small_gradient;
} run;

static run run_of(const model *m, int32_t role, int32_t length)
{
    size_t first = (size_t)role * (size_t)m->n_kinds;
    size_t square = (size_t)m->d * (size_t)m->d;
    size_t column = first * (size_t)m->d;
    return (run){
        .heads = length * m->n_kinds,
        .y = m->y + column,
        .below = (int64_t)((size_t)m->users * (size_t)m->head_columns + column),
        .moment = m->moment + first * square,
        .eigenvectors = m->eigenvectors + first * square,
        .roots = m->roots + first * (size_t)m->d,
        .inverse_root = m->inverse_root + first * square,
        .small_gradient = m->small_gradient + first * square,
    };
}

cfd_status whitening_forward(model *m)
{
    const ops_table *t = m->device->table;
    int64_t ld = m->head_columns;
    for (int32_t role = 0, length; next_run(m, &role, &length); role += length) {
        run w = run_of(m, role, length);
        TRY(t->cross_moment(m->device, w.y, ld, w.y, ld, m->items, m->d, w.heads, 1.0 / m->items, w.moment));
        cfd_status status = t->inverse_sqrt(m->device, w.moment, m->d, w.heads, m->values.whiten_epsilon, w.eigenvectors,
                                            w.roots, w.inverse_root);
        if (status == CFD_ERROR_NUMERIC) {
            return fail(status, "whitening, from role %s on: %s", m->roles[role].own.role, cfd_last_error());
        }
        TRY(status);
        TRY(t->multiply_right(m->device, w.y, ld, w.inverse_root, m->items, m->d, w.heads, 1.0f, false, m->x + w.below, ld));
    }
    return CFD_OK;
}

cfd_status whitening_backward(model *m)
{
    const ops_table *t = m->device->table;
    int64_t ld = m->head_columns;
    for (int32_t role = 0, length; next_run(m, &role, &length); role += length) {
        run w = run_of(m, role, length);
        const float *dx = m->x_gradient + w.below;
        float *dy = m->p_gradient + w.below;
        /* `moment` has served: dZ takes its place. */
        TRY(t->cross_moment(m->device, w.y, ld, dx, ld, m->items, m->d, w.heads, 1.0, w.moment));
        TRY(t->inverse_sqrt_gradient(m->device, w.eigenvectors, w.roots, w.moment, m->d, w.heads, w.small_gradient));
        TRY(t->multiply_right(m->device, dx, ld, w.inverse_root, m->items, m->d, w.heads, 1.0f, false, dy, ld));
        TRY(t->multiply_right(m->device, w.y, ld, w.small_gradient, m->items, m->d, w.heads, (float)(2.0 / m->items), true,
                              dy, ld));
    }
    return CFD_OK;
}
