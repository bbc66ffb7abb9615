/* SPDX-License-Identifier: Apache-2.0 */
/* What training refuses, and what it must not look at: splits that are empty or trained on, numbers that are not
 * finite, the test split while it selects on validation. */
#include "test_api_world.h"

static cfd_context *context;

static void set_up(void)
{
    context = world_context(1, NULL);
}

static void tear_down(void)
{
    cfd_context_destroy(context);
}

/* ---- selection that cannot be ---- */

START_TEST(selecting_on_what_is_trained_on_is_refused)
{
    cfd_dataset *data = world_data(context);
    cfd_config *config = WORLD_CONFIG("epochs", "1", "merge_validation", "yes");
    cfd_model *model = world_model(context, config, data);
    cfd_train_summary summary = CFD_TRAIN_SUMMARY_INIT;
    summary.epochs_done = 77;
    FAILS(CFD_ERROR_CONFIG, "select must be none or test", cfd_train(model, NULL, &summary));
    ck_assert_int_eq(summary.epochs_done, 77);
    cfd_model_info info = CFD_MODEL_INFO_INIT;
    cfd_dataset_info counts = CFD_DATASET_INFO_INIT;
    OK(cfd_model_get_info(model, &info));
    OK(cfd_dataset_get_info(data, &counts));
    ck_assert_int_eq(info.steps_done, 0);
    ck_assert_int_eq(info.n_train, counts.n_train + counts.n_validation); /* the world's two splits share no pair */
    cfd_model_destroy(model);
    const char *const selects[] = {"none", "test"};
    for (int i = 0; i < 2; i++) {
        OK(cfd_config_set(config, "select", selects[i]));
        model = world_model(context, config, data);
        OK(cfd_train(model, NULL, &summary));
        ck_assert_int_eq(summary.epochs_done, 1);
        ck_assert_int_eq(summary.selected, i);
        cfd_model_destroy(model);
    }
    cfd_config_destroy(config);
    cfd_dataset_destroy(data);
}
END_TEST

START_TEST(selecting_on_an_empty_split_is_refused_with_advice)
{
    cfd_dataset *data;
    OK(cfd_dataset_create(context, 3, 4, &data));
    const int32_t users[] = {0, 1, 2};
    const int32_t items[] = {0, 1, 2};
    OK(cfd_dataset_add_interactions(data, CFD_SPLIT_TRAIN, users, items, 3));
    const char *const selects[] = {"validation", "test"};
    for (int i = 0; i < 2; i++) {
        cfd_config *config = WORLD_CONFIG("epochs", "1", "select", selects[i]);
        cfd_model *model = world_model(context, config, data);
        FAILS(CFD_ERROR_DATA, "set select to none", cfd_train(model, NULL, NULL));
        ck_assert_ptr_nonnull(strstr(cfd_last_error(), selects[i]));
        OK(cfd_train_step(model, NULL, NULL)); /* the model is as usable as before */
        cfd_model_destroy(model);
        OK(cfd_config_set(config, "select", "none"));
        model = world_model(context, config, data);
        OK(cfd_train(model, NULL, NULL));
        cfd_model_destroy(model);
        cfd_config_destroy(config);
    }
    cfd_dataset_destroy(data);
}
END_TEST

/* ---- numbers that are not finite ---- */

static void set_all(cfd_model *model, const char *name, size_t n, float value)
{
    float *values = malloc(n * sizeof *values);
    for (size_t i = 0; i < n; i++) {
        values[i] = i % 2 ? value : -value;
    }
    OK(cfd_model_set_parameter(model, name, values, n));
    free(values);
}

/* Numbers near the end of float32 are finite, their sums over neighbours are not. */
START_TEST(a_loss_that_is_not_finite_ends_training_with_an_error)
{
    cfd_dataset *data = world_data(context);
    cfd_config *config = WORLD_CONFIG("epochs", "3", "select", "none");
    cfd_model *model = world_model(context, config, data);
    set_all(model, "item.id", WORLD_ITEMS * 8, 3e38f);
    set_all(model, "user.id", WORLD_USERS * 8, 3e38f);
    cfd_train_summary summary = CFD_TRAIN_SUMMARY_INIT;
    summary.epochs_done = 77;
    FAILS(CFD_ERROR_NUMERIC, "epoch 1", cfd_train(model, NULL, &summary));
    ck_assert_ptr_nonnull(strstr(cfd_last_error(), "learning_rate"));
    ck_assert_int_eq(summary.epochs_done, 77);
    cfd_model_destroy(model);
    cfd_config_destroy(config);
    cfd_dataset_destroy(data);
}
END_TEST

START_TEST(a_step_whose_losses_are_not_finite_changes_nothing)
{
    cfd_dataset *data = world_data(context);
    cfd_config *config = world_config(NULL);
    cfd_model *model = world_model(context, config, data);
    set_all(model, "item.id", WORLD_ITEMS * 8, 3e38f);
    set_all(model, "user.id", WORLD_USERS * 8, 3e38f);
    float before[WORLD_ITEMS * 8];
    float after[WORLD_ITEMS * 8];
    OK(cfd_model_get_parameter(model, "item.id", before, WORLD_ITEMS * 8));
    cfd_losses losses = CFD_LOSSES_INIT;
    losses.total = 5.0;
    FAILS(CFD_ERROR_NUMERIC, "not finite", cfd_train_step(model, NULL, &losses));
    FAILS(CFD_ERROR_NUMERIC, "not finite", cfd_compute_gradients(model, NULL, &losses));
    ck_assert_double_eq(losses.total, 5.0);
    OK(cfd_model_get_parameter(model, "item.id", after, WORLD_ITEMS * 8));
    ck_assert_mem_eq(before, after, sizeof before);
    cfd_model_info info = CFD_MODEL_INFO_INIT;
    OK(cfd_model_get_info(model, &info));
    ck_assert_int_eq(info.steps_done, 0);
    cfd_model_destroy(model);
    cfd_config_destroy(config);
    cfd_dataset_destroy(data);
}
END_TEST

/* The largest rate that a config takes: whatever it does to the model, no crash and no silent NaN. */
START_TEST(an_absurd_learning_rate_is_finite_or_an_error)
{
    cfd_dataset *data = world_data(context);
    cfd_config *config = WORLD_CONFIG("epochs", "20", "eval_every", "5", "learning_rate", "1000", "beta1", "0", "beta2",
                                      "0");
    cfd_model *model = world_model(context, config, data);
    cfd_status status = cfd_train(model, NULL, NULL);
    ck_assert_msg(status == CFD_OK || status == CFD_ERROR_NUMERIC, "%s: %s", cfd_status_name(status), cfd_last_error());
    if (status == CFD_OK) {
        float *scores = world_model_scores(model);
        for (int i = 0; i < WORLD_USERS * WORLD_ITEMS; i++) {
            ck_assert(isfinite(scores[i]));
        }
        free(scores);
    }
    cfd_model_destroy(model);
    cfd_config_destroy(config);
    cfd_dataset_destroy(data);
}
END_TEST

/* ---- what selection on validation must not see ---- */

enum { EPOCHS = 12 };

typedef struct evaluations {
    cfd_metrics metrics[EPOCHS][3];
    int n;
} evaluations;

static int keep_metrics(void *user, const cfd_progress *progress)
{
    evaluations *e = user;
    if (progress->metrics) {
        memcpy(e->metrics[e->n++], progress->metrics, sizeof e->metrics[0]);
    }
    return 0;
}

/* The world with a test split of the caller's. */
static void run_with_test(const int32_t *users, const int32_t *items, size_t n, const char *protocol, evaluations *heard,
                          cfd_train_summary *summary)
{
    cfd_dataset *data;
    OK(cfd_dataset_create(context, WORLD_USERS, WORLD_ITEMS, &data));
    for (int32_t u = 0; u < WORLD_USERS; u++) {
        for (int32_t i = u % 3; i < WORLD_ITEMS; i += 3) {
            cfd_split split = (u + i) % 5 == 0 ? CFD_SPLIT_VALIDATION : CFD_SPLIT_TRAIN;
            OK(cfd_dataset_add_interactions(data, split, &u, &i, 1));
        }
    }
    OK(cfd_dataset_add_interactions(data, CFD_SPLIT_TEST, users, items, n));
    world_add_photo(data);
    cfd_config *config = WORLD_CONFIG("epochs", "12", "eval_every", "1", "learning_rate", "0.1", "patience", "3", "protocol",
                                      protocol, "negatives", "12");
    cfd_model *model = world_model(context, config, data);
    cfd_train_options options = CFD_TRAIN_OPTIONS_INIT;
    options.progress = keep_metrics;
    options.progress_user = heard;
    OK(cfd_train(model, &options, summary));
    cfd_model_destroy(model);
    cfd_config_destroy(config);
    cfd_dataset_destroy(data);
}

START_TEST(selection_on_validation_does_not_depend_on_the_test_split)
{
    /* None at all; every user the next kind's items; every user the very items that validation holds out. */
    static int32_t users[2][WORLD_USERS * 10];
    static int32_t items[2][WORLD_USERS * 10];
    size_t n[3] = {0, 0, 0};
    for (int32_t u = 0; u < WORLD_USERS; u++) {
        for (int32_t i = 0; i < WORLD_ITEMS; i++) {
            int which = i % 3 == (u + 1) % 3 ? 0 : i % 3 == u % 3 && (u + i) % 5 == 0 ? 1 : -1;
            if (which >= 0) {
                users[which][n[which + 1]] = u;
                items[which][n[which + 1]++] = i;
            }
        }
    }
    const char *const protocols[] = {"full", "sampled"};
    for (int p = 0; p < 2; p++) {
        evaluations heard[3] = {{.n = 0}, {.n = 0}, {.n = 0}};
        cfd_train_summary summary[3] = {CFD_TRAIN_SUMMARY_INIT, CFD_TRAIN_SUMMARY_INIT, CFD_TRAIN_SUMMARY_INIT};
        for (int t = 0; t < 3; t++) {
            int which = t > 0 ? t - 1 : 0;
            run_with_test(users[which], items[which], n[t], protocols[p], &heard[t], &summary[t]);
        }
        for (int t = 1; t < 3; t++) {
            ck_assert_int_eq(heard[t].n, heard[0].n);
            ck_assert_mem_eq(heard[t].metrics, heard[0].metrics, sizeof heard[0].metrics);
            ck_assert_int_eq(summary[t].best_epoch, summary[0].best_epoch);
            ck_assert_double_eq(summary[t].best_score, summary[0].best_score);
        }
        ck_assert_double_gt(summary[0].best_score, 0.1);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("train: refusals");
    TCase *t = tcase_create("refusals");
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, selecting_on_what_is_trained_on_is_refused);
    tcase_add_test(t, selecting_on_an_empty_split_is_refused_with_advice);
    tcase_add_test(t, a_loss_that_is_not_finite_ends_training_with_an_error);
    tcase_add_test(t, a_step_whose_losses_are_not_finite_changes_nothing);
    tcase_add_test(t, an_absurd_learning_rate_is_finite_or_an_error);
    tcase_add_test(t, selection_on_validation_does_not_depend_on_the_test_split);
    suite_add_tcase(s, t);
    return s;
}

TEST_MAIN(suite)
