/* SPDX-License-Identifier: Apache-2.0 */
/* The whole training loop (SPEC 6): epochs of steps, evaluation, early stopping, the best parameters kept. */
#ifndef CFD_TRAIN_TRAIN_H
#define CFD_TRAIN_TRAIN_H

#include "data/dataset.h"
#include "model/model.h"

typedef struct train_request {
    cfd_progress_function progress; /* may be NULL */
    void *progress_user;
    const int32_t *ks; /* n_ks cut-offs, checked */
    size_t n_ks;
    thread_pool *pool;
    uint64_t seed; /* of the sampled protocol's negatives */
} train_request;

/* Fills *summary also where the losses left the finite numbers (CFD_ERROR_NUMERIC). */
cfd_status train_run(model *m, const dataset *data, const train_request *request, cfd_train_summary *summary);

/* A copy of a model's parameters on its device. */
typedef struct parameter_copy {
    int64_t steps; /* behind them */
    float *e0, *x, *weights[CFD_MAX_MODALITIES];
} parameter_copy;

cfd_status parameter_copy_keep(const model *m, parameter_copy *copy); /* allocates at the first call */
cfd_status parameter_copy_restore(model *m, const parameter_copy *copy);
void parameter_copy_release(const model *m, parameter_copy *copy); /* accepts a zeroed struct */

#endif
