/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include "train/train.h"

#include "eval/evaluate.h"

#include <math.h>
#include <string.h>
#include <time.h>

#define SELECTION_K 5 /* HR@5 + NDCG@5 decides (SPEC 6) */

typedef struct run {
    model *m;
    const dataset *data;
    const train_request *request;
    const settings *values;
    double began;
    int32_t *ks;          /* the request's, then SELECTION_K */
    cfd_metrics *metrics; /* of the last evaluation, one for each of ks */
    parameter_copy best;
    int32_t since_best; /* evaluations */
    cfd_train_summary summary;
    bool stop;
} run;

static double now_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static cfd_split selected_split(const settings *values)
{
    return values->select == SELECT_TEST ? CFD_SPLIT_TEST : CFD_SPLIT_VALIDATION;
}

static cfd_status check_selection(const settings *values, const dataset *data)
{
    if (values->select == SELECT_NONE) {
        return CFD_OK;
    }
    if (values->select == SELECT_VALIDATION && values->merge_validation) {
        return fail(CFD_ERROR_CONFIG, "merge_validation trains on the validation split: select must be none or test");
    }
    if (data->splits[selected_split(values)].interactions == 0) {
        return fail(CFD_ERROR_DATA, "select is %s, but the data set has no %s interactions: set select to none",
                    values->select == SELECT_TEST ? "test" : "validation",
                    values->select == SELECT_TEST ? "test" : "validation");
    }
    return CFD_OK;
}

/* ---- evaluation ---- */

/* Metrics at the present parameters. */
static cfd_status measure(run *r)
{
    model *m = r->m;
    size_t width = (size_t)model_score_width(m);
    float *queries = NULL;
    float *keys = NULL;
    ops *device = NULL;
    cfd_status status = CFD_OK;
    TRY_OR(failed, memory_allocate(m->memory, (size_t)m->users * width, sizeof *queries, "the query rows", &queries));
    TRY_OR(failed, memory_allocate(m->memory, (size_t)m->items * width, sizeof *keys, "the key rows", &keys));
    TRY_OR(failed, model_snapshot(m, queries, keys));
    TRY_OR(failed, m->device->table->create(m->device, &device));
    scorer s;
    TRY(scorer_init(&s, m->memory, r->request->pool, device, m->users, m->items, (int32_t)width, queries, keys));
    evaluation what = {
        .split = selected_split(r->values),
        .protocol = r->values->protocol == 1 ? CFD_PROTOCOL_SAMPLED : CFD_PROTOCOL_FULL,
        .ks = r->ks,
        .n_ks = r->request->n_ks + 1,
        .negatives = r->values->negatives,
        .seed = r->request->seed,
    };
    size_t n_users;
    status = evaluate(&s, r->data, &what, r->metrics, &n_users);
    scorer_release(&s);
    return status;
failed:
    memory_release(m->memory, keys);
    memory_release(m->memory, queries);
    return status;
}

/* Evaluates, keeps the parameters if they are the best so far, and stops where patience has run out. */
static cfd_status select_parameters(run *r, int32_t epoch, bool *improved)
{
    TRY(measure(r));
    const cfd_metrics *at = &r->metrics[r->request->n_ks];
    double score = at->hr + at->ndcg;
    *improved = !r->summary.selected || score > r->summary.best_score;
    if (*improved) {
        TRY(parameter_copy_keep(r->m, &r->best));
        r->summary.selected = 1;
        r->summary.best_epoch = epoch;
        r->summary.best_score = score;
        r->since_best = 0;
    } else if (++r->since_best >= r->values->patience) {
        r->summary.stopped_early = 1;
        r->stop = true;
    }
    return CFD_OK;
}

/* ---- the loop ---- */

static void report(run *r, cfd_progress *progress)
{
    progress->seconds = now_seconds() - r->began;
    if (r->request->progress && r->request->progress(r->request->progress_user, progress) != 0) {
        r->summary.stopped_by_caller = 1;
        r->stop = true;
    }
}

static cfd_status run_steps(run *r, cfd_progress *progress)
{
    TRY(model_zero_losses(r->m));
    for (int64_t step = 1; step <= progress->n_steps && !r->stop; step++) {
        TRY(model_step(r->m, NULL));
        progress->step = step;
        report(r, progress);
    }
    return CFD_OK;
}

static cfd_status run_epoch(run *r, int32_t epoch)
{
    cfd_progress progress = {.struct_size = sizeof progress,
                             .epoch = epoch,
                             .n_epochs = r->values->epochs,
                             .n_steps = r->m->steps_per_epoch};
    double began = now_seconds();
    TRY(run_steps(r, &progress));
    cfd_losses losses;
    TRY(model_read_losses(r->m, (double)progress.step, &losses));
    double trained = now_seconds();
    progress.epoch_seconds = trained - began;
    if (!isfinite(losses.total)) {
        return fail(CFD_ERROR_NUMERIC, "epoch %d: the loss is not finite (ranking %s): lower learning_rate", (int)epoch,
                    isfinite(losses.ranking) ? "is" : "is not");
    }
    if (progress.step < progress.n_steps) {
        return CFD_OK; /* the caller wants no more: not a whole epoch, nothing to say of it */
    }
    r->summary.epochs_done = epoch;
    bool evaluated = r->values->select != SELECT_NONE && (epoch % r->values->eval_every == 0 || epoch == r->values->epochs);
    bool improved = false;
    if (evaluated) {
        TRY(select_parameters(r, epoch, &improved));
        progress.evaluation_seconds = now_seconds() - trained;
        progress.metrics = r->metrics;
        progress.n_metrics = r->request->n_ks;
    }
    progress.epoch_ended = 1;
    progress.improved = improved;
    progress.losses = &losses;
    report(r, &progress);
    return CFD_OK;
}

static cfd_status run_epochs(run *r)
{
    for (int32_t epoch = 1; epoch <= r->values->epochs && !r->stop; epoch++) {
        TRY(run_epoch(r, epoch));
    }
    return CFD_OK;
}

cfd_status train_run(model *m, const dataset *data, const train_request *request, cfd_train_summary *summary)
{
    run r = {.m = m, .data = data, .request = request, .values = &m->values, .began = now_seconds()};
    TRY(check_selection(r.values, data));
    size_t n_ks = request->n_ks + 1;
    cfd_status status = CFD_OK;
    TRY_OR(done, memory_allocate(m->memory, n_ks, sizeof *r.ks, "the cut-offs", &r.ks));
    TRY_OR(done, memory_allocate_zero(m->memory, n_ks, sizeof *r.metrics, "the metrics", &r.metrics));
    memcpy(r.ks, request->ks, request->n_ks * sizeof *r.ks);
    r.ks[request->n_ks] = SELECTION_K;

    status = run_epochs(&r);
    if (r.summary.selected) {
        cfd_status restored = parameter_copy_restore(m, &r.best);
        status = status != CFD_OK ? status : restored;
    } else {
        r.summary.best_epoch = r.summary.epochs_done;
    }
    r.summary.seconds = now_seconds() - r.began;
    *summary = r.summary;
done:
    parameter_copy_release(m, &r.best);
    memory_release(m->memory, r.metrics);
    memory_release(m->memory, r.ks);
    return status;
}
