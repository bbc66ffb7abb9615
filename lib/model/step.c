/* SPDX-License-Identifier: Apache-2.0 */
/* One step, in order: the batch, forward, losses, backward, update. */
#include "model/sections.h"

#include "base/ids.h"

#include <string.h>

/* ---- the batch (SPEC 6) ---- */

ops_moment model_moment(const model *m)
{
    int64_t position = m->steps_done % m->steps_per_epoch * m->values.batch_size;
    return (ops_moment){m->steps_done, m->steps_done / m->steps_per_epoch, position, m->steps_done + 1};
}

cfd_status model_draw_batch(model *m)
{
    if (m->sampler.pool_size == 0) {
        return fail(CFD_ERROR_DATA, "no batch can be drawn: every user with interactions has every item");
    }
    ops_moment now = model_moment(m);
    TRY(m->device->table->draw_batch(m->device, &m->sampler, now.step, now.epoch, now.position, &m->batch));
    return model_index_batch(m);
}

cfd_status model_set_batch(model *m, const cfd_batch *batch)
{
    if (!batch->users || !batch->positives || !batch->negatives) {
        return fail(CFD_ERROR_ARGUMENT, "batch->%s is NULL",
                    !batch->users       ? "users"
                    : !batch->positives ? "positives"
                                        : "negatives");
    }
    if (batch->size == 0 || batch->size > (size_t)m->values.batch_size) {
        return fail(CFD_ERROR_ARGUMENT, "batch->size is %zu: 1 to %d (batch_size) wanted", batch->size,
                    (int)m->values.batch_size);
    }
    TRY(ids_check("batch->users", batch->users, batch->size, m->users));
    TRY(ids_check("batch->positives", batch->positives, batch->size, m->items));
    TRY(ids_check("batch->negatives", batch->negatives, batch->size, m->items));
    const ops_table *t = m->device->table;
    size_t bytes = batch->size * sizeof(int32_t);
    TRY(t->upload(m->device, m->batch.user_ids, batch->users, bytes));
    TRY(t->upload(m->device, m->batch.positives, batch->positives, bytes));
    TRY(t->upload(m->device, m->batch.negatives, batch->negatives, bytes));
    m->batch.size = (int32_t)batch->size;
    return CFD_OK;
}

cfd_status model_index_batch(model *m)
{
    return m->device->table->batch_index(m->device, &m->batch);
}

/* ---- forward, losses, backward ---- */

cfd_status model_compute_gradients(model *m)
{
    m->e0_gradient = NULL;
    m->x_gradient = NULL;
    if (m->has_base) {
        TRY(propagation_forward(m));
    }
    if (m->n_roles > 0) {
        TRY(projection_forward(m));
        TRY(whitening_forward(m));
        TRY(heads_forward(m, false));
    }
    if (m->has_fused) {
        TRY(fusion_forward(m));
    }

    TRY(ranking(m));
    TRY(distillation(m));
    TRY(penalty_after_propagation(m));

    if (m->has_base) {
        TRY(propagation_backward(m));
    }
    if (m->has_fused) {
        TRY(fusion_backward(m));
    }
    if (m->n_roles > 0) {
        TRY(heads_backward(m));
    }
    if (m->n_roles > 0) {
        TRY(whitening_backward(m));
        TRY(projection_backward(m));
    }
    return CFD_OK;
}

cfd_status model_update(model *m)
{
    TRY(adam_update(m));
    m->parameter_steps = ++m->steps_done;
    return CFD_OK;
}

/* ---- losses ---- */

cfd_status model_zero_losses(model *m)
{
    return m->device->table->zero(m->device, m->losses, LOSS_SLOTS * sizeof(double));
}

/* The sums, divided by `steps`, weighted and added up. */
static cfd_losses losses_of(const model *m, const double *sums, double steps)
{
    const settings *v = &m->values;
    double decay = v->decay / v->batch_size;
    double pairs = distillation_pairs(m) > 0 ? distillation_pairs(m) : 1;
    cfd_losses out = CFD_LOSSES_INIT;
    out.ranking_base = sums[LOSS_RANKING_BASE] / steps;
    out.ranking_fused = v->mu_fused * sums[LOSS_RANKING_FUSED] / steps;
    out.penalty_base = decay * sums[LOSS_PENALTY_BASE] / steps;
    out.penalty_fused = decay * v->rho_fused * sums[LOSS_PENALTY_FUSED] / steps;
    out.ranking = out.ranking_base + out.ranking_fused;
    out.penalty = out.penalty_base + out.penalty_fused;
    for (int32_t r = 0; r < m->n_roles; r++) {
        const role_settings *own = &m->roles[r].own;
        out.ranking_modality[r] = own->mu * sums[LOSS_RANKING_ROLE + r] / steps;
        out.penalty_modality[r] = decay * own->rho * sums[LOSS_PENALTY_ROLE + r] / steps;
        out.ranking += out.ranking_modality[r];
        out.penalty += out.penalty_modality[r];
    }
    out.common = sums[LOSS_COMMON] / pairs / steps;
    out.differential = sums[LOSS_DIFFERENTIAL] / pairs / steps;
    out.total = out.ranking + out.penalty + v->eta_common * out.common + v->eta_differential * out.differential;
    return out;
}

cfd_status model_read_losses(model *m, double steps, cfd_losses *losses)
{
    double sums[LOSS_SLOTS];
    TRY(m->device->table->download(m->device, sums, m->losses, sizeof sums));
    *losses = losses_of(m, sums, steps);
    return CFD_OK;
}

cfd_status model_request_losses(model *m)
{
    if (!m->mailbox) {
        TRY(m->device->table->mailbox_create(m->device, LOSS_SLOTS * sizeof(double), &m->mailbox));
    }
    return m->device->table->mailbox_post(m->device, m->mailbox, m->losses);
}

cfd_status model_receive_losses(model *m, bool wait, cfd_losses *losses, bool *ready)
{
    if (!m->mailbox) {
        return fail(CFD_ERROR_ARGUMENT, "no losses are on their way: they have to be requested first");
    }
    double sums[LOSS_SLOTS];
    TRY(m->device->table->mailbox_read(m->device, m->mailbox, sums, wait, ready));
    if (*ready) {
        *losses = losses_of(m, sums, 1.0);
    }
    return CFD_OK;
}
