/* SPDX-License-Identifier: Apache-2.0 */
/* Evaluation of scorers and models: checks of options. The work is done in eval/. */
#include "api/cutoffs.h"
#include "api/handles.h"
#include "eval/evaluate.h"

enum { DEFAULT_NEGATIVES = 99 /* the papers' */ };

static cfd_status check_options(const cfd_evaluate_options *options)
{
    if (options->split != CFD_SPLIT_VALIDATION && options->split != CFD_SPLIT_TEST) {
        return fail(CFD_ERROR_ARGUMENT, "options.split is %d: CFD_SPLIT_VALIDATION or CFD_SPLIT_TEST wanted",
                    (int)options->split);
    }
    if (options->protocol != CFD_PROTOCOL_FULL && options->protocol != CFD_PROTOCOL_SAMPLED) {
        return fail(CFD_ERROR_ARGUMENT, "options.protocol is %d: CFD_PROTOCOL_FULL or CFD_PROTOCOL_SAMPLED wanted",
                    (int)options->protocol);
    }
    if (options->negatives < 0) {
        return fail(CFD_ERROR_ARGUMENT, "options.negatives is %d: 1 or more wanted, or 0 for %d", (int)options->negatives,
                    DEFAULT_NEGATIVES);
    }
    if (options->reserved != 0) {
        return fail(CFD_ERROR_ARGUMENT, "options.reserved is %d, not 0", (int)options->reserved);
    }
    return CFD_OK;
}

static cfd_status read_options(const cfd_evaluate_options *options, uint64_t context_seed, evaluation *what)
{
    cfd_evaluate_options chosen = CFD_EVALUATE_OPTIONS_INIT;
    TRY(options_read(options, &chosen, sizeof chosen, "options"));
    TRY(check_options(&chosen));
    TRY(cutoffs_read(chosen.ks, chosen.n_ks, &what->ks, &what->n_ks));
    what->split = chosen.split;
    what->protocol = chosen.protocol;
    what->negatives = chosen.negatives != 0 ? chosen.negatives : DEFAULT_NEGATIVES;
    what->seed = chosen.seed != 0 ? chosen.seed : context_seed;
    return CFD_OK;
}

cfd_status cfd_evaluate_scorer(const cfd_scorer *handle, const cfd_dataset *data, const cfd_evaluate_options *options,
                               cfd_metrics *metrics, size_t *n_users)
{
    TRY(require(handle, "scorer"));
    TRY(require(data, "dataset"));
    REQUIRE(metrics);
    evaluation what;
    TRY(read_options(options, handle->context->seed, &what));
    return evaluate(&handle->core, &data->data, &what, metrics, n_users);
}

cfd_status cfd_evaluate(cfd_model *model, const cfd_dataset *data, const cfd_evaluate_options *options, cfd_metrics *metrics,
                        size_t *n_users)
{
    REQUIRE(model);
    TRY(require(data, "dataset"));
    REQUIRE(metrics);
    cfd_scorer *snapshot;
    TRY(cfd_scorer_create(model, &snapshot));
    cfd_status status = cfd_evaluate_scorer(snapshot, data, options, metrics, n_users);
    cfd_scorer_release(snapshot);
    return status;
}
