/* SPDX-License-Identifier: Apache-2.0 */
/* Bidirectional distillation (SPEC 5) between the propagated rows of every two roles, at the batch's users and positives:
 *
 *   common        D(x, y) = 1 - cos(x, y), or +cos(x, y) as released
 *   differential  sqrt(cos(x, y)^2 + 1e-8)
 *
 * Averaged over the pairs of roles. A zero row has no direction: its term and its gradient are 0. So they are where an
 * item lacks one of the two modalities: what its propagated row holds is its neighbours'. */
#include "model/sections.h"

int32_t distillation_pairs(const model *m)
{
    return m->n_roles * (m->n_roles - 1) / 2;
}

static cfd_status distil(model *m, enum model_kind kind, ops_cosine function, double eta, double *loss)
{
    if (m->kinds[kind] < 0 || eta == 0.0 || distillation_pairs(m) == 0) {
        return CFD_OK;
    }
    float weight = (float)(eta / distillation_pairs(m));
    for (int32_t a = 0; a < m->n_roles; a++) {
        for (int32_t b = a + 1; b < m->n_roles; b++) {
            int32_t column_a = model_head_column(m, a, kind);
            int32_t column_b = model_head_column(m, b, kind);
            TRY(m->device->table->pair_cosine(m->device, &m->batch, function, heads_rows(m, column_a, m->d),
                                              heads_rows(m, column_b, m->d), m->roles[a].present, m->roles[b].present,
                                              weight, heads_rows_gradient(m, column_a, m->d),
                                              heads_rows_gradient(m, column_b, m->d), loss));
        }
    }
    return CFD_OK;
}

cfd_status distillation(model *m)
{
    ops_cosine common = m->values.common_distillation == DISTILLATION_ALIGN ? OPS_COSINE_ALIGN : OPS_COSINE_RELEASED;
    TRY(distil(m, KIND_COMMON, common, m->values.eta_common, m->losses + LOSS_COMMON));
    return distil(m, KIND_DIFFERENTIAL, OPS_COSINE_ORTHOGONAL, m->values.eta_differential, m->losses + LOSS_DIFFERENTIAL);
}
