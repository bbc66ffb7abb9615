/* SPDX-License-Identifier: Apache-2.0 */
/* Precisions and instruction sets: chosen by key and option, refused by name, each with bits of its own that no number of
 * threads changes, all near the reference. */
#include "model_random.h"

/* Large enough that products with features, sparse products and losses are cut into several blocks. */
static const random_world world = {
    .users = 900, .items = 700, .per_user = 6, .dense_columns = {150, 1100}, .sparse_columns = 100, .seed = 8};

enum { STEPS = 50 };

static const way ways[] = {
    {"cpu", "baseline", "float32"}, {"cpu", "avx2", "float32"}, {"cpu", "avx512", "float32"},
    {"cpu", NULL, "bf16x3"},        {"cpu", NULL, "bf16"},      {"cuda", NULL, "float32"},
    {"cuda", NULL, "tf32"},         {"cuda", NULL, "bf16x3"},   {"cuda", NULL, "bf16"},
};
enum { CPU_WAYS = 5 };
enum { WAYS = sizeof ways / sizeof ways[0] };

static cfd_model *make_model(cfd_context *context, const char *precision)
{
    const char *const settings[] = {"embedding_dim", "24",   "batch_size", "256", "precision", precision,
                                    "learning_rate", "0.01", NULL};
    return model_of(context, config_of("art", settings), random_dataset(context, &world));
}

/* Trains; returns the parameters and adds up the losses. NULL where the processor cannot. */
static float *trained(const way *w, int32_t threads, int steps, size_t *n, double *total)
{
    cfd_context *context = open_way(w, threads, 21);
    if (!context) {
        return NULL;
    }
    cfd_model *model = make_model(context, w->precision);
    *total = 0.0;
    for (int step = 0; step < steps; step++) {
        cfd_losses losses = CFD_LOSSES_INIT;
        OK(cfd_train_step(model, NULL, &losses));
        *total += losses.total;
    }
    float *parameters = all_parameters(model, n);
    cfd_model_destroy(model);
    return parameters;
}

START_TEST(any_number_of_threads_gives_the_same_bits_for_fifty_steps)
{
    static const int32_t threads[] = {2, 3, 7};
    const way *w = &ways[_i];
    size_t n;
    double total = 0.0;
    float *alone = trained(w, 1, STEPS, &n, &total);
    for (int k = 0; alone && k < 3; k++) {
        double other_total = 0.0;
        float *other = trained(w, threads[k], STEPS, &n, &other_total);
        ck_assert_msg(memcmp(&total, &other_total, sizeof total) == 0, "%d threads: other losses", (int)threads[k]);
        ck_assert_msg(memcmp(alone, other, n * sizeof *other) == 0, "%d threads: other parameters", (int)threads[k]);
        free(other);
    }
    free(alone);
}
END_TEST

/* The gradients of one batch, all tensors one after the other. */
static float *gradients(const way *w, size_t *n, double *total)
{
    cfd_context *context = open_way(w, 2, 21);
    if (!context) {
        return NULL;
    }
    cfd_model *model = make_model(context, w->precision);
    cfd_losses losses = CFD_LOSSES_INIT;
    OK(cfd_compute_gradients(model, NULL, &losses));
    *total = losses.total;
    float *parameters = all_parameters(model, n);
    float *values = allocated(*n, sizeof *values);
    size_t at = 0;
    for (size_t i = 0; i < tensor_count(model); i++) {
        cfd_tensor_info info = tensor_at(model, i);
        OK(cfd_model_get_gradient(model, info.name, values + at, tensor_size(&info)));
        at += tensor_size(&info);
    }
    free(parameters);
    cfd_model_destroy(model);
    return values;
}

/* Relative to the length of the whole gradient; measured 6e-7, 6e-6 and 4e-3. */
START_TEST(gradients_are_those_of_the_reference)
{
    const way *w = &ways[_i];
    double tolerance = strcmp(w->precision, "float32") == 0 ? 1e-5 : strcmp(w->precision, "bf16x3") == 0 ? 1e-4 : 3e-2;
    const way reference = {"reference", NULL, "float32"};
    size_t n;
    double expected_total = 0.0;
    double total = 0.0;
    float *actual = gradients(w, &n, &total);
    if (!actual) {
        return;
    }
    float *expected = gradients(&reference, &n, &expected_total);
    double difference = 0.0;
    double length = 0.0;
    for (size_t i = 0; i < n; i++) {
        difference += ((double)actual[i] - expected[i]) * ((double)actual[i] - expected[i]);
        length += (double)expected[i] * expected[i];
    }
    ck_assert_double_gt(length, 0.0);
    double relative = sqrt(difference / length);
    ck_assert_msg(relative <= tolerance, "%s: gradients differ by %.3g of their length", w->precision, relative);
    ck_assert_msg(fabs(total - expected_total) <= tolerance * fabs(expected_total), "%s: loss %.9g, not %.9g", w->precision,
                  total, expected_total);
    free(expected);
    free(actual);
}
END_TEST

/* ---- choices ---- */

static cfd_status create(cfd_context *context, const char *precision, cfd_model **model)
{
    const char *const settings[] = {"precision", precision, NULL};
    cfd_config *config = config_of("art", settings);
    cfd_dataset *data = random_dataset(context, &world);
    cfd_status status = cfd_model_create(context, config, data, model);
    cfd_config_destroy(config);
    cfd_dataset_destroy(data);
    return status;
}

static const char *precision_of(const cfd_model *model)
{
    cfd_model_info info = CFD_MODEL_INFO_INIT;
    OK(cfd_model_get_info(model, &info));
    return info.precision;
}

START_TEST(what_the_processor_does_not_multiply_is_refused_by_name)
{
    const way lesser = {"cpu", "baseline", "float32"};
    cfd_context *context = open_way(&lesser, 1, 1);
    if (!context) {
        return;
    }
    cfd_context_info info = CFD_CONTEXT_INFO_INIT;
    OK(cfd_context_get_info(context, &info));
    ck_assert_str_eq(info.bfloat16, "none");
    ck_assert_str_eq(info.instruction_set, "baseline");
    cfd_model *model = NULL;
    FAILS(CFD_ERROR_CONFIG, "precision = \"bf16\"", create(context, "bf16", &model));
    FAILS(CFD_ERROR_CONFIG, "precision = \"bf16x3\"", create(context, "bf16x3", &model));
    ck_assert_ptr_null(model);
    OK(create(context, "auto", &model));
    ck_assert_str_eq(precision_of(model), "float32");
    cfd_model_destroy(model);
    cfd_context_destroy(context);
}
END_TEST

START_TEST(auto_takes_bf16x3_where_it_is_the_faster)
{
    cfd_context *context = open_context("cpu", 1, 1);
    cfd_context_info info = CFD_CONTEXT_INFO_INIT;
    OK(cfd_context_get_info(context, &info));
    cfd_model *model;
    OK(create(context, "auto", &model));
    ck_assert_str_eq(precision_of(model), strcmp(info.bfloat16, "matrix") == 0 ? "bf16x3" : "float32");
    cfd_model_destroy(model);
    cfd_context_destroy(context);
}
END_TEST

/* 65520 is the first number that binary16 rounds to infinity. */
START_TEST(features_beyond_a_short_type_are_refused_by_role)
{
    static const char *const devices[] = {"reference", "cpu"};
    static const char *const storages[] = {"float16", "bfloat16"};
    static const float numbers[2][2] = {{65519.0f, 65520.0f},
                                        {3.38e38f, 3.4e38f}}; /* the last that fits, the first that does not */
    const char *const settings[] = {"feature_storage", storages[_i % 2], "whitening", "no", NULL};
    for (int beyond = 0; beyond < 2; beyond++) {
        cfd_context *context = open_context(devices[_i / 2], 2, 1);
        cfd_dataset *data;
        OK(cfd_dataset_create(context, 3, 4, &data));
        const int32_t users[] = {0, 1, 2};
        OK(cfd_dataset_add_interactions(data, CFD_SPLIT_TRAIN, users, users, 3));
        const float features[8] = {1, 2, 3, 4, 5, numbers[_i % 2][beyond], 7, 8};
        OK(cfd_dataset_add_dense_modality(data, "visual", features, CFD_FLOAT32, 2, 2));
        cfd_config *config = config_of(NULL, settings);
        cfd_model *model = NULL;
        if (beyond) {
            FAILS(CFD_ERROR_DATA, "visual", cfd_model_create(context, config, data, &model));
            ck_assert_ptr_nonnull(strstr(cfd_last_error(), storages[_i % 2]));
        } else {
            OK(cfd_model_create(context, config, data, &model));
        }
        cfd_model_destroy(model);
        cfd_config_destroy(config);
        cfd_dataset_destroy(data);
        cfd_context_destroy(context);
    }
}
END_TEST

START_TEST(instructions_that_do_not_exist_are_refused_by_name)
{
    cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
    cfd_context *context = NULL;
    options.instructions = "sse9";
    FAILS(CFD_ERROR_DEVICE, "\"sse9\"", cfd_context_create(&options, &context));
    ck_assert_ptr_null(context);
    options.instructions = "auto";
    OK(cfd_context_create(&options, &context));
    cfd_context_destroy(context);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("precision");
    TCase *tc = tcase_create("precision");
    tcase_set_timeout(tc, 300);
    tcase_add_loop_test(tc, any_number_of_threads_gives_the_same_bits_for_fifty_steps, 0, CPU_WAYS);
    tcase_add_loop_test(tc, gradients_are_those_of_the_reference, 0, WAYS);
    tcase_add_test(tc, what_the_processor_does_not_multiply_is_refused_by_name);
    tcase_add_test(tc, auto_takes_bf16x3_where_it_is_the_faster);
    tcase_add_loop_test(tc, features_beyond_a_short_type_are_refused_by_role, 0, 4);
    tcase_add_test(tc, instructions_that_do_not_exist_are_refused_by_name);
    suite_add_tcase(s, tc);
    return s;
}

TEST_MAIN(suite)
