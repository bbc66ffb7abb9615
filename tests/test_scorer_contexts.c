/* SPDX-License-Identifier: Apache-2.0 */
/* A model that is trained in one context and served in another: the device, memory and threads are the other's, and neither
 * the model nor its context is needed any more. */
#include "test_api_world.h"

#include "limited_memory.h"
#include "staged.h"

static const char *const devices[] = {"cpu", "reference", "cuda"};
enum { DEVICES = sizeof devices / sizeof *devices };

/* NULL where there is no such device here. `memory` may be NULL. */
static cfd_context *open_context(const char *device, limited *memory)
{
    cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
    options.device = device;
    options.threads = 2;
    options.plugin_folder = cuda_plugin_folder();
    if (memory) {
        limited_init(memory, LONG_MAX);
        options.allocate = limited_allocate;
        options.release = limited_release;
        options.allocator_user = memory;
    }
    cfd_context *context;
    cfd_status status = cfd_context_create(&options, &context);
    if (status == CFD_ERROR_DEVICE && strcmp(device, "cuda") == 0) {
        return NULL;
    }
    OK(status);
    note_backend(device);
    return context;
}

static cfd_model *train_model(cfd_context *context)
{
    cfd_config *config = world_config(NULL);
    cfd_dataset *data = world_data(context);
    cfd_model *model = world_model(context, config, data);
    for (int step = 0; step < 3; step++) {
        OK(cfd_train_step(model, NULL, NULL));
    }
    cfd_config_destroy(config);
    cfd_dataset_destroy(data);
    return model;
}

/* Scores of all users for all items are those of the model's own context, but for rounding. */
static void check_scores(const float *expected, const cfd_scorer *scorer)
{
    float *scores = world_scores(scorer);
    for (int i = 0; i < WORLD_USERS * WORLD_ITEMS; i++) {
        ck_assert_float_eq_tol(scores[i], expected[i], 1e-5f * (1 + fabsf(expected[i])));
    }
    free(scores);
}

START_TEST(a_model_of_one_context_serves_in_another)
{
    const char *trained = devices[_i / DEVICES];
    const char *served = devices[_i % DEVICES];
    for (int order = 0; order < 2; order++) {
        cfd_context *training = open_context(trained, NULL);
        cfd_context *serving = open_context(served, NULL);
        if (training && serving) {
            cfd_model *model = train_model(training);
            float *expected = world_model_scores(model);
            cfd_scorer *scorer;
            OK(cfd_scorer_create_in(serving, model, &scorer));
            if (order == 0) {
                cfd_context_destroy(serving); /* the scorer keeps it */
                serving = NULL;
                check_scores(expected, scorer);
            }
            cfd_context_destroy(training);
            training = NULL;
            cfd_model_destroy(model);
            check_scores(expected, scorer);
            cfd_scorer_info info = CFD_SCORER_INFO_INIT;
            OK(cfd_scorer_get_info(scorer, &info));
            ck_assert_int_eq(info.steps_done, 3);
            ck_assert_int_eq(info.n_modalities, 2);
            ck_assert_str_eq(cfd_scorer_role(scorer, 1), "tags");
            cfd_scorer_release(scorer);
            free(expected);
        }
        cfd_context_destroy(training);
        cfd_context_destroy(serving);
    }
}
END_TEST

/* Its scores have the bits of a scorer of the serving context: they are computed there. */
START_TEST(the_scores_are_those_of_the_serving_device)
{
    cfd_context *training = open_context("reference", NULL);
    cfd_context *serving = open_context("cpu", NULL);
    cfd_model *model = train_model(training);
    cfd_scorer *here;
    cfd_scorer *there;
    cfd_scorer *same;
    OK(cfd_scorer_create(model, &here));
    OK(cfd_scorer_create_in(serving, model, &there));
    OK(cfd_scorer_create_in(NULL, model, &same));
    float *of_here = world_scores(here);
    float *of_there = world_scores(there);
    float *of_same = world_scores(same);
    size_t bytes = sizeof(float) * WORLD_USERS * WORLD_ITEMS;
    ck_assert_mem_eq(of_same, of_here, bytes);
    ck_assert_mem_ne(of_there, of_here, bytes); /* sums in float32, not in double */
    free(of_here);
    free(of_there);
    free(of_same);
    cfd_scorer_release(here);
    cfd_scorer_release(there);
    cfd_scorer_release(same);
    cfd_model_destroy(model);
    cfd_context_destroy(training);
    cfd_context_destroy(serving);
}
END_TEST

START_TEST(all_memory_is_the_serving_contexts)
{
    limited trained;
    limited served;
    cfd_context *training = open_context("cpu", &trained);
    cfd_context *serving = open_context("cpu", &served);
    cfd_model *model = train_model(training);
    cfd_scorer *scorer;
    OK(cfd_scorer_create(model, &scorer)); /* scratch memory has grown */
    cfd_scorer_release(scorer);
    long of_training = atomic_load(&trained.live);
    long of_serving = atomic_load(&served.live);
    for (long n = 0;; n++) {
        scorer = (cfd_scorer *)&scorer;
        atomic_store(&served.left, n);
        cfd_status status = cfd_scorer_create_in(serving, model, &scorer);
        atomic_store(&served.left, LONG_MAX);
        ck_assert_int_eq(atomic_load(&trained.live), of_training);
        if (status == CFD_OK) {
            ck_assert_int_ge(n, 4);
            break;
        }
        ck_assert_int_eq(status, CFD_ERROR_MEMORY);
        ck_assert_ptr_eq(scorer, &scorer);
        ck_assert_int_eq(atomic_load(&served.live), of_serving);
    }
    cfd_model_destroy(model);
    cfd_context_destroy(training);
    ck_assert_int_eq(atomic_load(&trained.live), 0); /* nothing of it is kept */
    cfd_context_destroy(serving);
    ck_assert_int_gt(atomic_load(&served.live), 0);
    cfd_scorer_release(scorer);
    ck_assert_int_eq(atomic_load(&served.live), 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("scorer in another context");
    TCase *t = tcase_create("contexts");
    tcase_set_timeout(t, 300);
    tcase_add_loop_test(t, a_model_of_one_context_serves_in_another, 0, DEVICES * DEVICES);
    tcase_add_test(t, the_scores_are_those_of_the_serving_device);
    tcase_add_test(t, all_memory_is_the_serving_contexts);
    suite_add_tcase(s, t);
    return s;
}

TEST_MAIN(suite)
