/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of a model: planned when it is made, settled by the first step, reported, and then left alone. */
#include "limited_memory.h"
#include "model_random.h"

static const random_world world = {
    .users = 400, .items = 300, .per_user = 6, .dense_columns = {90, 40}, .sparse_columns = 50, .seed = 3};

static cfd_context *counted_context(limited *c, int32_t threads, bool *bfloat16)
{
    cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
    cfd_context_info info = CFD_CONTEXT_INFO_INIT;
    cfd_context *context;
    options.device = "cpu";
    options.threads = threads;
    options.allocate = limited_allocate;
    options.release = limited_release;
    options.allocator_user = c;
    OK(cfd_context_create(&options, &context));
    OK(cfd_context_get_info(context, &info));
    *bfloat16 = strcmp(info.bfloat16, "none") != 0;
    return context;
}

static const char *const precisions[] = {"float32", "bf16x3", "bf16"};
static const char *const storages[] = {"source", "float16", "bfloat16"};

START_TEST(no_step_after_the_first_allocates)
{
    limited c;
    limited_init(&c, LONG_MAX);
    bool bfloat16;
    cfd_context *context = counted_context(&c, 3, &bfloat16);
    const char *precision = precisions[_i % 3];
    if (strcmp(precision, "float32") != 0 && !bfloat16) {
        cfd_context_destroy(context);
        return;
    }
    const char *const settings[] = {"batch_size",     "128",           "precision", precision, "feature_storage",
                                    storages[_i / 3], "embedding_dim", "24",        NULL};
    cfd_model *model = model_of(context, config_of("art", settings), random_dataset(context, &world));
    OK(cfd_train_step(model, NULL, NULL));
    long made = atomic_load(&c.made);
    int32_t users[3] = {1, 2, 3};
    cfd_batch own = CFD_BATCH_INIT;
    own.users = own.positives = own.negatives = users;
    own.size = 3;
    for (int step = 0; step < 10; step++) {
        cfd_losses losses = CFD_LOSSES_INIT;
        OK(cfd_train_step(model, step % 3 == 2 ? &own : NULL, step % 2 ? &losses : NULL));
        OK(cfd_compute_gradients(model, NULL, NULL));
    }
    ck_assert_int_eq(atomic_load(&c.made), made);
    cfd_model_destroy(model);
}
END_TEST

START_TEST(what_a_model_reports_is_what_it_took)
{
    limited c;
    limited_init(&c, LONG_MAX);
    bool bfloat16;
    cfd_context *context = counted_context(&c, 2, &bfloat16);
    cfd_dataset *data = random_dataset(context, &world);
    cfd_config *config = config_of("art", NULL);
    long before = atomic_load(&c.bytes);
    cfd_model *model;
    OK(cfd_model_create(context, config, data, &model));
    cfd_model_info made = CFD_MODEL_INFO_INIT;
    OK(cfd_model_get_info(model, &made));
    long created = atomic_load(&c.bytes) - before;
    OK(cfd_train_step(model, NULL, NULL));
    cfd_model_info stepped = CFD_MODEL_INFO_INIT;
    OK(cfd_model_get_info(model, &stepped));

    /* Parameters and two moments; of a projection, a gradient too; of the heads, the items' rows too. */
    ck_assert_int_ge(made.parameter_bytes, 3 * 4 * made.n_parameters);
    ck_assert_int_le(made.parameter_bytes, 4 * 4 * made.n_parameters + 4 * (int64_t)made.n_items * made.score_width);
    ck_assert_int_gt(made.constant_bytes, 0);
    ck_assert_int_eq(stepped.parameter_bytes, made.parameter_bytes);
    ck_assert_int_eq(stepped.constant_bytes, made.constant_bytes);
    ck_assert_int_ge(stepped.workspace_bytes, made.workspace_bytes);
    /* What was asked for while the model was made also held drafts of parameters and graphs, never less than the report. */
    int64_t reported = made.parameter_bytes + made.constant_bytes + made.workspace_bytes;
    ck_assert_int_le(reported, created);
    ck_assert_int_gt(3 * reported, 2 * (int64_t)created - 3 * 4 * made.n_parameters);
    ck_assert_str_eq(made.precision, "float32");
    cfd_model_destroy(model);
    cfd_config_destroy(config);
    cfd_dataset_destroy(data);
    cfd_context_destroy(context);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("workspace");
    TCase *tc = tcase_create("memory");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, no_step_after_the_first_allocates, 0, 9);
    tcase_add_test(tc, what_a_model_reports_is_what_it_took);
    suite_add_tcase(s, tc);
    return s;
}

TEST_MAIN(suite)
