/* SPDX-License-Identifier: Apache-2.0 */
/* The training loop: who is told what and when, which epoch is kept, when it ends, what is refused. */
#define _POSIX_C_SOURCE 200809L /* getpid */
#include "test_api_world.h"

#include <unistd.h>

/* ---- what the callback was told ---- */

enum { MOST_EVENTS = 20000, MOST_KS = 4 };

typedef struct event {
    int32_t epoch, n_epochs;
    int64_t step, n_steps;
    double seconds, epoch_seconds, evaluation_seconds;
    bool ended, improved, has_losses;
    cfd_losses losses;
    size_t n_metrics; /* 0: metrics was NULL */
    cfd_metrics metrics[MOST_KS];
} event;

typedef struct record {
    event events[MOST_EVENTS];
    size_t n;
    int32_t stop_epoch; /* asks to stop there; 0: never */
    int64_t stop_step;  /* 0: at the end of the epoch */
} record;

static record told;

static int listen(void *user, const cfd_progress *p)
{
    record *r = user;
    ck_assert_uint_lt(r->n, MOST_EVENTS);
    ck_assert_uint_eq(p->struct_size, sizeof *p);
    event *e = &r->events[r->n++];
    *e = (event){.epoch = p->epoch,
                 .n_epochs = p->n_epochs,
                 .step = p->step,
                 .n_steps = p->n_steps,
                 .seconds = p->seconds,
                 .epoch_seconds = p->epoch_seconds,
                 .evaluation_seconds = p->evaluation_seconds,
                 .ended = p->epoch_ended == 1,
                 .improved = p->improved == 1,
                 .has_losses = p->losses != NULL,
                 .n_metrics = p->metrics ? p->n_metrics : 0};
    if (p->losses) {
        e->losses = *p->losses;
    }
    ck_assert((p->metrics != NULL) == (p->n_metrics > 0));
    for (size_t k = 0; k < e->n_metrics && k < MOST_KS; k++) {
        e->metrics[k] = p->metrics[k];
    }
    return r->stop_epoch == p->epoch && (e->ended ? r->stop_step == 0 : r->stop_step == p->step);
}

static cfd_status train(cfd_model *model, cfd_train_summary *summary)
{
    cfd_train_options options = CFD_TRAIN_OPTIONS_INIT;
    options.progress = listen;
    options.progress_user = &told;
    told.n = 0;
    return cfd_train(model, &options, summary);
}

/* The score that decides, of an event with the usual cut-offs 5, 10, 20. */
static double score_of(const event *e)
{
    ck_assert_uint_eq(e->n_metrics, 3);
    ck_assert_int_eq(e->metrics[0].k, 5);
    return e->metrics[0].hr + e->metrics[0].ndcg;
}

static const event *epoch_end(int32_t epoch)
{
    for (size_t i = 0; i < told.n; i++) {
        if (told.events[i].ended && told.events[i].epoch == epoch) {
            return &told.events[i];
        }
    }
    return NULL;
}

/* ---- a world for every test ---- */

static cfd_context *context;
static cfd_dataset *data;

/* Of the ten items of their kind users have four; one is held out for validation, one for the test. So the cut-off
 * matters: of the six that a perfect ranking of kinds puts first, the held-out one stands anywhere. */
static void set_up(void)
{
    context = world_context(2, NULL);
    OK(cfd_dataset_create(context, WORLD_USERS, WORLD_ITEMS, &data));
    for (int32_t u = 0; u < WORLD_USERS; u++) {
        for (int32_t i = u % 3; i < WORLD_ITEMS; i += 3) {
            int32_t place = (u / 3 * 7 + i / 3 * 3) % 10; /* each once */
            if (place < 6) {
                cfd_split split = place < 4 ? CFD_SPLIT_TRAIN : place == 4 ? CFD_SPLIT_VALIDATION : CFD_SPLIT_TEST;
                OK(cfd_dataset_add_interactions(data, split, &u, &i, 1));
            }
        }
    }
    world_add_photo(data);
    world_add_tags(data);
    memset(&told, 0, sizeof told);
}

static void tear_down(void)
{
    cfd_dataset_destroy(data);
    cfd_context_destroy(context);
}

static cfd_model *model_with(cfd_config *config)
{
    cfd_model *model = world_model(context, config, data);
    cfd_config_destroy(config);
    return model;
}

static cfd_model_info info_of(const cfd_model *model)
{
    cfd_model_info info = CFD_MODEL_INFO_INIT;
    OK(cfd_model_get_info(model, &info));
    return info;
}

/* Both models have the same parameters, to the bit. */
static void check_same_parameters(const cfd_model *a, const cfd_model *b)
{
    cfd_model_info info = info_of(a);
    ck_assert_uint_eq(info.n_tensors, info_of(b).n_tensors);
    for (size_t i = 0; i < info.n_tensors; i++) {
        cfd_tensor_info tensor = CFD_TENSOR_INFO_INIT;
        OK(cfd_model_get_tensor_info(a, i, &tensor));
        size_t n = (size_t)(tensor.rows * tensor.columns);
        float *x = malloc(n * sizeof *x);
        float *y = malloc(n * sizeof *y);
        OK(cfd_model_get_parameter(a, tensor.name, x, n));
        OK(cfd_model_get_parameter(b, tensor.name, y, n));
        ck_assert_msg(memcmp(x, y, n * sizeof *x) == 0, "%s differs", tensor.name);
        free(x);
        free(y);
    }
}

/* ---- what the callback hears ---- */

START_TEST(every_step_is_told_once_and_every_epoch_has_one_end)
{
    cfd_model *model = model_with(WORLD_CONFIG("epochs", "5", "eval_every", "3"));
    cfd_model_info info = info_of(model);
    ck_assert_int_eq(info.steps_per_epoch, info.n_train / 16 + 1); /* SPEC 6 */
    cfd_train_summary summary = CFD_TRAIN_SUMMARY_INIT;
    OK(train(model, &summary));
    size_t at = 0;
    double before = 0.0;
    for (int32_t epoch = 1; epoch <= 5; epoch++) {
        for (int64_t step = 1; step <= info.steps_per_epoch + 1; step++) {
            const event *e = &told.events[at++];
            bool end = step > info.steps_per_epoch;
            bool evaluated = end && (epoch == 3 || epoch == 5); /* every third, and the last */
            ck_assert_int_eq(e->epoch, epoch);
            ck_assert_int_eq(e->n_epochs, 5);
            ck_assert_int_eq(e->n_steps, info.steps_per_epoch);
            ck_assert_int_eq(e->step, end ? info.steps_per_epoch : step);
            ck_assert_int_eq(e->ended, end);
            ck_assert_int_eq(e->has_losses, end);
            ck_assert_uint_eq(e->n_metrics, evaluated ? 3 : 0);
            ck_assert(evaluated || !e->improved);
            ck_assert_int_eq(e->epoch_seconds > 0.0, end);
            ck_assert_int_eq(e->evaluation_seconds > 0.0, evaluated);
            ck_assert_double_ge(e->seconds, before);
            before = e->seconds;
        }
    }
    ck_assert_uint_eq(told.n, at);
    ck_assert_int_eq(summary.epochs_done, 5);
    ck_assert_int_eq(summary.stopped_early, 0);
    ck_assert_int_eq(summary.stopped_by_caller, 0);
    ck_assert_double_ge(summary.seconds, before);
    ck_assert_int_eq(info_of(model).steps_done, 5 * info.steps_per_epoch);
    cfd_model_destroy(model);
}
END_TEST

START_TEST(an_epochs_losses_are_the_means_of_its_steps)
{
    cfd_config *config = WORLD_CONFIG("epochs", "2", "select", "none");
    cfd_model *whole = world_model(context, config, data);
    cfd_model *single = world_model(context, config, data);
    cfd_config_destroy(config);
    OK(train(whole, NULL));
    for (int32_t epoch = 1; epoch <= 2; epoch++) {
        int64_t steps = info_of(single).steps_per_epoch;
        cfd_losses sum = CFD_LOSSES_INIT;
        for (int64_t step = 0; step < steps; step++) {
            cfd_losses losses = CFD_LOSSES_INIT;
            OK(cfd_train_step(single, NULL, &losses));
            sum.total += losses.total / (double)steps;
            sum.ranking += losses.ranking / (double)steps;
            sum.penalty += losses.penalty / (double)steps;
            sum.common += losses.common / (double)steps;
            sum.differential += losses.differential / (double)steps;
            sum.ranking_modality[1] += losses.ranking_modality[1] / (double)steps;
        }
        const cfd_losses *mean = &epoch_end(epoch)->losses;
        ck_assert_double_eq_tol(mean->total, sum.total, 1e-9 * fabs(sum.total));
        ck_assert_double_eq_tol(mean->ranking, sum.ranking, 1e-9 * fabs(sum.ranking));
        ck_assert_double_eq_tol(mean->penalty, sum.penalty, 1e-9 * fabs(sum.penalty));
        ck_assert_double_eq_tol(mean->common, sum.common, 1e-9 * fabs(sum.common));
        ck_assert_double_eq_tol(mean->differential, sum.differential, 1e-9 * fabs(sum.differential));
        ck_assert_double_eq_tol(mean->ranking_modality[1], sum.ranking_modality[1], 1e-9);
    }
    check_same_parameters(whole, single);
    ck_assert_double_lt(epoch_end(2)->losses.ranking, epoch_end(1)->losses.ranking);
    cfd_model_destroy(whole);
    cfd_model_destroy(single);
}
END_TEST

START_TEST(metrics_are_given_for_the_cut_offs_that_were_asked_for)
{
    cfd_model *model = model_with(WORLD_CONFIG("epochs", "1"));
    const int32_t ks[] = {7, 1, 5};
    cfd_train_options options = CFD_TRAIN_OPTIONS_INIT;
    options.progress = listen;
    options.progress_user = &told;
    options.ks = ks;
    options.n_ks = 3;
    OK(cfd_train(model, &options, NULL));
    const event *e = epoch_end(1);
    ck_assert_uint_eq(e->n_metrics, 3);
    cfd_evaluate_options evaluation = CFD_EVALUATE_OPTIONS_INIT;
    evaluation.split = CFD_SPLIT_VALIDATION;
    evaluation.ks = ks;
    evaluation.n_ks = 3;
    cfd_metrics metrics[3];
    OK(cfd_evaluate(model, data, &evaluation, metrics, NULL));
    for (int k = 0; k < 3; k++) {
        ck_assert_int_eq(e->metrics[k].k, ks[k]);
        ck_assert_mem_eq(&e->metrics[k], &metrics[k], sizeof metrics[k]);
    }
    cfd_model_destroy(model);
}
END_TEST

START_TEST(cut_offs_out_of_range_are_refused)
{
    cfd_model *model = model_with(WORLD_CONFIG("epochs", "1"));
    cfd_train_options options = CFD_TRAIN_OPTIONS_INIT;
    int32_t ks[1001];
    for (int i = 0; i < 1001; i++) {
        ks[i] = 1;
    }
    options.ks = ks;
    options.n_ks = 0;
    FAILS(CFD_ERROR_ARGUMENT, "n_ks", cfd_train(model, &options, NULL));
    options.n_ks = 1001;
    FAILS(CFD_ERROR_ARGUMENT, "n_ks", cfd_train(model, &options, NULL));
    options.n_ks = 3;
    ks[2] = 0;
    FAILS(CFD_ERROR_ARGUMENT, "ks[2] is 0", cfd_train(model, &options, NULL));
    ks[2] = 1001;
    FAILS(CFD_ERROR_ARGUMENT, "ks[2] is 1001", cfd_train(model, &options, NULL));
    ks[2] = 1000;
    OK(cfd_train(model, &options, NULL));
    ck_assert_int_eq(info_of(model).steps_done, info_of(model).steps_per_epoch); /* the refused ones did nothing */
    cfd_model_destroy(model);
}
END_TEST

/* ---- which epoch is kept ---- */

/* A rate so small that no parameter moves: every evaluation finds the same. */
START_TEST(training_stops_after_as_many_evaluations_without_improvement_as_patience_says)
{
    cfd_model *model = model_with(
        WORLD_CONFIG("epochs", "100", "eval_every", "2", "patience", "3", "learning_rate", "1e-30"));
    cfd_train_summary summary = CFD_TRAIN_SUMMARY_INIT;
    OK(train(model, &summary));
    ck_assert_int_eq(summary.epochs_done, 8); /* evaluated after 2, then in vain after 4, 6 and 8 */
    ck_assert_int_eq(summary.best_epoch, 2);
    ck_assert_int_eq(summary.stopped_early, 1);
    ck_assert_int_eq(summary.stopped_by_caller, 0);
    ck_assert_int_eq(summary.selected, 1);
    ck_assert(epoch_end(2)->improved && !epoch_end(4)->improved && !epoch_end(8)->improved);
    ck_assert_double_eq(summary.best_score, score_of(epoch_end(2)));
    cfd_model_destroy(model);
}
END_TEST

/* A rate so large that metrics go up and down. What was told says which epoch must win and when it must end. */
START_TEST(the_best_evaluation_wins_and_improvement_restores_patience)
{
    int resets = 0;
    int losers = 0;
    const char *const rates[] = {"0.3", "0.1", "0.03", "1"};
    for (int i = 0; i < 4; i++) {
        cfd_config *config = WORLD_CONFIG("epochs", "40", "eval_every", "1", "patience", "3", "learning_rate", rates[i]);
        cfd_model *model = world_model(context, config, data);
        cfd_train_summary summary = CFD_TRAIN_SUMMARY_INIT;
        OK(train(model, &summary));
        double best = -1.0;
        int32_t best_epoch = 0;
        int32_t since = 0;
        int32_t epoch = 0;
        while (epoch < 40 && since < 3) {
            const event *e = epoch_end(++epoch);
            ck_assert_ptr_nonnull(e);
            bool better = score_of(e) > best;
            ck_assert_int_eq(e->improved, better);
            resets += better && since > 0;
            since = better ? 0 : since + 1;
            best_epoch = better ? epoch : best_epoch;
            best = better ? score_of(e) : best;
        }
        losers += best_epoch < epoch;
        ck_assert_int_eq(summary.epochs_done, epoch);
        ck_assert_int_eq(summary.stopped_early, since == 3);
        ck_assert_int_eq(summary.best_epoch, best_epoch);
        ck_assert_double_eq(summary.best_score, best);

        /* The model scores as the best epoch did ... */
        cfd_evaluate_options evaluation = CFD_EVALUATE_OPTIONS_INIT;
        evaluation.split = CFD_SPLIT_VALIDATION;
        cfd_metrics metrics[3];
        OK(cfd_evaluate(model, data, &evaluation, metrics, NULL));
        ck_assert_mem_eq(metrics, epoch_end(best_epoch)->metrics, sizeof metrics);
        cfd_scorer *scorer;
        cfd_scorer_info served = CFD_SCORER_INFO_INIT;
        OK(cfd_scorer_create(model, &scorer));
        OK(cfd_scorer_get_info(scorer, &served));
        ck_assert_int_eq(served.steps_done, best_epoch * info_of(model).steps_per_epoch); /* not all that were done */
        cfd_scorer_release(scorer);

        /* ... and is the model that training for so many epochs alone gives. */
        char epochs[16];
        snprintf(epochs, sizeof epochs, "%d", (int)best_epoch);
        OK(cfd_config_set(config, "epochs", epochs));
        OK(cfd_config_set(config, "select", "none"));
        cfd_model *alone = world_model(context, config, data);
        OK(cfd_train(alone, NULL, NULL));
        check_same_parameters(model, alone);
        cfd_model_destroy(alone);
        cfd_model_destroy(model);
        cfd_config_destroy(config);
    }
    ck_assert_int_gt(resets, 0); /* else nothing was tested */
    ck_assert_int_gt(losers, 0);
}
END_TEST

START_TEST(without_selection_the_last_parameters_stay_and_nothing_is_evaluated)
{
    cfd_model *model = model_with(WORLD_CONFIG("epochs", "3", "eval_every", "1", "select", "none"));
    cfd_train_summary summary = CFD_TRAIN_SUMMARY_INIT;
    OK(train(model, &summary));
    ck_assert_int_eq(summary.epochs_done, 3);
    ck_assert_int_eq(summary.best_epoch, 3);
    ck_assert_int_eq(summary.selected, 0);
    ck_assert_double_eq(summary.best_score, 0.0);
    for (int32_t epoch = 1; epoch <= 3; epoch++) {
        ck_assert_uint_eq(epoch_end(epoch)->n_metrics, 0);
        ck_assert_double_eq(epoch_end(epoch)->evaluation_seconds, 0.0);
    }
    cfd_model_destroy(model);
}
END_TEST

START_TEST(the_split_and_the_protocol_of_selection_are_the_configs)
{
    const char *const selects[] = {"validation", "test"};
    const char *const protocols[] = {"full", "sampled"};
    for (int i = 0; i < 4; i++) {
        cfd_model *model = model_with(WORLD_CONFIG("epochs", "2", "eval_every", "2", "select", selects[i % 2], "protocol",
                                                   protocols[i / 2], "negatives", "9"));
        OK(train(model, NULL));
        cfd_evaluate_options evaluation = CFD_EVALUATE_OPTIONS_INIT;
        evaluation.split = i % 2 ? CFD_SPLIT_TEST : CFD_SPLIT_VALIDATION;
        evaluation.protocol = i / 2 ? CFD_PROTOCOL_SAMPLED : CFD_PROTOCOL_FULL;
        evaluation.negatives = 9;
        cfd_metrics metrics[3];
        OK(cfd_evaluate(model, data, &evaluation, metrics, NULL));
        ck_assert_mem_eq(metrics, epoch_end(2)->metrics, sizeof metrics);
        cfd_model_destroy(model);
    }
}
END_TEST

/* ---- the caller stops it ---- */

START_TEST(stopping_keeps_the_best_so_far)
{
    cfd_config *config = WORLD_CONFIG("epochs", "30", "eval_every", "2", "learning_rate", "0.05");
    cfd_model *model = world_model(context, config, data);
    cfd_train_summary summary = CFD_TRAIN_SUMMARY_INIT;
    told.stop_epoch = 4;
    told.stop_step = 2; /* after the evaluation of epoch 2, amid epoch 4 */
    OK(train(model, &summary));
    ck_assert_int_eq(summary.stopped_by_caller, 1);
    ck_assert_int_eq(summary.stopped_early, 0);
    ck_assert_int_eq(summary.epochs_done, 3);
    ck_assert_int_eq(summary.best_epoch, 2);
    ck_assert_int_eq(summary.selected, 1);
    ck_assert_double_eq(summary.best_score, score_of(epoch_end(2)));
    const event *last = &told.events[told.n - 1];
    ck_assert(last->epoch == 4 && last->step == 2 && !last->ended); /* not a word more */
    ck_assert_int_eq(info_of(model).steps_done, 3 * info_of(model).steps_per_epoch + 2);
    OK(cfd_config_set(config, "epochs", "2"));
    cfd_model *alone = world_model(context, config, data);
    OK(cfd_train(alone, NULL, NULL));
    check_same_parameters(model, alone);
    cfd_model_destroy(alone);
    cfd_model_destroy(model);
    cfd_config_destroy(config);
}
END_TEST

START_TEST(stopping_before_the_first_evaluation_keeps_the_present_parameters)
{
    cfd_config *config = WORLD_CONFIG("epochs", "30", "eval_every", "10");
    cfd_model *model = world_model(context, config, data);
    cfd_train_summary summary = CFD_TRAIN_SUMMARY_INIT;
    told.stop_epoch = 1;
    told.stop_step = 3;
    OK(train(model, &summary));
    ck_assert_int_eq(summary.stopped_by_caller, 1);
    ck_assert_int_eq(summary.selected, 0);
    ck_assert_int_eq(summary.epochs_done, 0);
    ck_assert_uint_eq(told.n, 3);
    cfd_model *single = world_model(context, config, data);
    for (int step = 0; step < 3; step++) {
        OK(cfd_train_step(single, NULL, NULL));
    }
    check_same_parameters(model, single);
    cfd_model_destroy(single);
    cfd_model_destroy(model);
    cfd_config_destroy(config);
}
END_TEST

START_TEST(stopping_at_an_epochs_last_step_counts_that_epoch)
{
    cfd_model *model = model_with(WORLD_CONFIG("epochs", "30", "eval_every", "1"));
    cfd_train_summary summary = CFD_TRAIN_SUMMARY_INIT;
    told.stop_epoch = 2;
    told.stop_step = info_of(model).steps_per_epoch;
    OK(train(model, &summary));
    ck_assert_int_eq(summary.stopped_by_caller, 1);
    ck_assert_int_eq(summary.epochs_done, 2);
    ck_assert(epoch_end(2) && epoch_end(2)->n_metrics > 0); /* it was whole: it is evaluated and told */
    cfd_model_destroy(model);
}
END_TEST

START_TEST(stopping_at_an_epochs_end_counts_that_epoch)
{
    cfd_model *model = model_with(WORLD_CONFIG("epochs", "30", "eval_every", "1", "learning_rate", "1e-30"));
    cfd_train_summary summary = CFD_TRAIN_SUMMARY_INIT;
    told.stop_epoch = 2;
    OK(train(model, &summary));
    ck_assert_int_eq(summary.stopped_by_caller, 1);
    ck_assert_int_eq(summary.epochs_done, 2);
    ck_assert_int_eq(summary.best_epoch, 1);
    ck_assert(told.events[told.n - 1].ended);
    cfd_model_destroy(model);
}
END_TEST

/* ---- a look at the model from within ---- */

typedef struct looker {
    cfd_model *model;
    float *rows;
    size_t nodes, n; /* numbers in rows */
    const cfd_dataset *data;
    char path[64];
} looker;

/* At each epoch's end looks in every way that the header allows. */
static int look_and_listen(void *user, const cfd_progress *p)
{
    looker *l = user;
    if (p->epoch_ended) {
        cfd_model_info info = info_of(l->model);
        cfd_metrics metrics[3];
        cfd_scorer *scorer;
        OK(cfd_model_get_embedding(l->model, "heads", l->rows, l->n));
        OK(cfd_model_get_embedding(l->model, "projected", l->rows, l->n));
        OK(cfd_model_get_embedding(l->model, "base", l->rows, l->nodes * (size_t)info.embedding_dim));
        OK(cfd_model_get_parameter(l->model, "item.id", l->rows, (size_t)info.n_items * (size_t)info.embedding_dim));
        OK(cfd_evaluate(l->model, l->data, NULL, metrics, NULL));
        OK(cfd_scorer_create(l->model, &scorer));
        cfd_scorer_release(scorer);
        OK(cfd_model_save(l->model, l->path));
    }
    return listen(&told, p);
}

START_TEST(a_look_at_each_epochs_end_changes_no_bit)
{
    const char *const selects[] = {"none", "validation"};
    for (int i = 0; i < 2; i++) {
        cfd_config *config = WORLD_CONFIG("epochs", "4", "eval_every", "2", "select", selects[i]);
        cfd_model *unseen = world_model(context, config, data);
        cfd_model *seen = world_model(context, config, data);
        OK(train(unseen, NULL));
        size_t n = told.n;
        cfd_losses losses[4];
        for (int32_t e = 0; e < 4; e++) {
            losses[e] = epoch_end(e + 1)->losses;
        }

        cfd_model_info info = info_of(seen);
        looker l = {.model = seen, .nodes = (size_t)(info.n_users + info.n_items), .data = data};
        l.n = l.nodes * (size_t)(2 * info.n_modalities * info.embedding_dim);
        l.rows = calloc(l.n, sizeof *l.rows);
        snprintf(l.path, sizeof l.path, "/tmp/cfdtbd-test-look-%ld", (long)getpid());
        ck_assert_ptr_nonnull(l.rows);
        cfd_train_options options = CFD_TRAIN_OPTIONS_INIT;
        options.progress = look_and_listen;
        options.progress_user = &l;
        told.n = 0;
        OK(cfd_train(seen, &options, NULL));
        remove(l.path);
        ck_assert_uint_eq(told.n, n);
        for (int32_t e = 0; e < 4; e++) {
            ck_assert_mem_eq(&epoch_end(e + 1)->losses, &losses[e], sizeof losses[e]);
        }
        check_same_parameters(seen, unseen);
        free(l.rows);
        cfd_model_destroy(seen);
        cfd_model_destroy(unseen);
        cfd_config_destroy(config);
    }
}
END_TEST

/* ---- no training, more training ---- */

START_TEST(no_epochs_leave_the_model_as_it_was)
{
    cfd_config *config = WORLD_CONFIG("epochs", "0");
    cfd_model *model = world_model(context, config, data);
    cfd_model *fresh = world_model(context, config, data);
    cfd_train_summary summary = CFD_TRAIN_SUMMARY_INIT;
    OK(train(model, &summary));
    ck_assert_uint_eq(told.n, 0);
    ck_assert_int_eq(summary.epochs_done, 0);
    ck_assert_int_eq(summary.best_epoch, 0);
    ck_assert_int_eq(summary.selected, 0);
    ck_assert_int_eq(info_of(model).steps_done, 0);
    check_same_parameters(model, fresh);
    cfd_model_destroy(fresh);
    cfd_model_destroy(model);
    cfd_config_destroy(config);
}
END_TEST

START_TEST(training_again_goes_on_where_it_ended)
{
    const char *const samplers[] = {"users", "interactions"};
    for (int i = 0; i < 2; i++) {
        cfd_config *config = WORLD_CONFIG("epochs", "2", "select", "none", "sampler", samplers[i]);
        cfd_model *twice = world_model(context, config, data);
        OK(cfd_train(twice, NULL, NULL));
        OK(cfd_train(twice, NULL, NULL));
        OK(cfd_config_set(config, "epochs", "4"));
        cfd_model *once = world_model(context, config, data);
        OK(cfd_train(once, NULL, NULL));
        check_same_parameters(twice, once);
        ck_assert_int_eq(info_of(twice).steps_done, info_of(once).steps_done);
        int64_t n = info_of(once).n_train;
        ck_assert_int_eq(info_of(once).steps_per_epoch, i ? (n + 15) / 16 : n / 16 + 1);
        cfd_model_destroy(once);
        cfd_model_destroy(twice);
        cfd_config_destroy(config);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("train");
    TCase *t = tcase_create("train");
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, every_step_is_told_once_and_every_epoch_has_one_end);
    tcase_add_test(t, an_epochs_losses_are_the_means_of_its_steps);
    tcase_add_test(t, metrics_are_given_for_the_cut_offs_that_were_asked_for);
    tcase_add_test(t, cut_offs_out_of_range_are_refused);
    tcase_add_test(t, training_stops_after_as_many_evaluations_without_improvement_as_patience_says);
    tcase_add_test(t, the_best_evaluation_wins_and_improvement_restores_patience);
    tcase_add_test(t, without_selection_the_last_parameters_stay_and_nothing_is_evaluated);
    tcase_add_test(t, the_split_and_the_protocol_of_selection_are_the_configs);
    tcase_add_test(t, stopping_keeps_the_best_so_far);
    tcase_add_test(t, stopping_before_the_first_evaluation_keeps_the_present_parameters);
    tcase_add_test(t, stopping_at_an_epochs_last_step_counts_that_epoch);
    tcase_add_test(t, stopping_at_an_epochs_end_counts_that_epoch);
    tcase_add_test(t, a_look_at_each_epochs_end_changes_no_bit);
    tcase_add_test(t, no_epochs_leave_the_model_as_it_was);
    tcase_add_test(t, training_again_goes_on_where_it_ended);
    suite_add_tcase(s, t);
    return s;
}

TEST_MAIN(suite)
