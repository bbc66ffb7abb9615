/* SPDX-License-Identifier: Apache-2.0 */
/* Training through the model handle: single steps, and the whole loop. */
#include "api/cutoffs.h"
#include "api/model_handle.h"
#include "train/train.h"

#include <math.h>

/* One batch through forward and backward; the losses, where asked for. */
static cfd_status run_batch(cfd_model *model, const cfd_batch *batch, cfd_losses *losses)
{
    struct model *m = model->core;
    if (batch) {
        cfd_batch own = CFD_BATCH_INIT;
        TRY(options_read(batch, &own, sizeof own, "batch"));
        TRY(model_set_batch(m, &own));
        TRY(model_index_batch(m));
    } else {
        TRY(model_draw_batch(m));
    }
    TRY(model_zero_losses(m));
    TRY(model_compute_gradients(m));
    if (!losses) {
        return CFD_OK;
    }
    TRY(model_read_losses(m, 1.0, losses));
    return isfinite(losses->total) ? CFD_OK
                                   : fail(CFD_ERROR_NUMERIC, "the loss is not finite; the parameters are as they were");
}

cfd_status cfd_compute_gradients(cfd_model *model, const cfd_batch *batch, cfd_losses *losses)
{
    REQUIRE(model);
    if (!losses) {
        return run_batch(model, batch, NULL);
    }
    cfd_losses filled = CFD_LOSSES_INIT;
    TRY(options_check_size(losses, "losses"));
    TRY(run_batch(model, batch, &filled));
    return options_write(losses, &filled, sizeof filled, "losses");
}

cfd_status cfd_train_step(cfd_model *model, const cfd_batch *batch, cfd_losses *losses)
{
    REQUIRE(model);
    if (!losses) {
        cfd_batch own = CFD_BATCH_INIT;
        if (batch) {
            TRY(options_read(batch, &own, sizeof own, "batch"));
        }
        TRY(model_zero_losses(model->core));
        return model_step(model->core, batch ? &own : NULL);
    }
    cfd_losses filled = CFD_LOSSES_INIT;
    TRY(options_check_size(losses, "losses"));
    TRY(run_batch(model, batch, &filled));
    TRY(model_update(model->core));
    return options_write(losses, &filled, sizeof filled, "losses");
}

cfd_status cfd_model_synchronise(cfd_model *model)
{
    REQUIRE(model);
    ops *device = model->core->device;
    return device->table->synchronise(device);
}

cfd_status cfd_model_request_losses(cfd_model *model)
{
    REQUIRE(model);
    return model_request_losses(model->core);
}

cfd_status cfd_model_receive_losses(cfd_model *model, int wait, cfd_losses *losses, int *ready)
{
    REQUIRE(model);
    REQUIRE(losses);
    REQUIRE(ready);
    TRY(options_check_size(losses, "losses"));
    cfd_losses filled = CFD_LOSSES_INIT;
    bool came;
    TRY(model_receive_losses(model->core, wait != 0, &filled, &came));
    if (came) {
        TRY(options_write(losses, &filled, sizeof filled, "losses"));
    }
    *ready = came;
    return CFD_OK;
}

cfd_status cfd_train(cfd_model *model, const cfd_train_options *options, cfd_train_summary *summary)
{
    REQUIRE(model);
    if (summary) {
        TRY(options_check_size(summary, "summary"));
    }
    cfd_train_options chosen = CFD_TRAIN_OPTIONS_INIT;
    TRY(options_read(options, &chosen, sizeof chosen, "options"));
    train_request request = {.progress = chosen.progress,
                             .progress_user = chosen.progress_user,
                             .pool = model->context->pool,
                             .seed = model->context->seed};
    TRY(cutoffs_read(chosen.ks, chosen.n_ks, &request.ks, &request.n_ks));
    cfd_train_summary filled = CFD_TRAIN_SUMMARY_INIT;
    TRY(train_run(model->core, &model->data->data, &request, &filled));
    filled.struct_size = sizeof filled;
    return summary ? options_write(summary, &filled, sizeof filled, "summary") : CFD_OK;
}
