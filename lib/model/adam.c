/* SPDX-License-Identifier: Apache-2.0 */
/* Adam (SPEC 6) over every row of every parameter: propagation makes the gradient dense. */
#include "model/sections.h"

cfd_status adam_update(model *m)
{
    ops_adam_tensor tensors[CFD_MAX_MODALITIES + 2];
    int32_t n = 0;
    if (m->has_base) {
        tensors[n++] = (ops_adam_tensor){m->e0, m->e0_gradient, m->e0_moment1, m->e0_moment2,
                                         (size_t)m->nodes * (size_t)m->d};
    }
    if (m->n_roles > 0) {
        tensors[n++] = (ops_adam_tensor){m->x, m->x_gradient, m->x_moment1, m->x_moment2,
                                         (size_t)m->users * (size_t)m->head_columns};
    }
    for (int32_t r = 0; r < m->n_roles; r++) {
        model_role *role = &m->roles[r];
        tensors[n++] = (ops_adam_tensor){role->weights, role->gradient, role->moment1, role->moment2,
                                         (size_t)role->columns * (size_t)m->role_columns};
    }
    ops_adam_settings form = {m->values.learning_rate, m->values.beta1, m->values.beta2, m->values.epsilon,
                              m->steps_done + 1};
    return m->device->table->adam(m->device, tensors, n, &form);
}
