/* SPDX-License-Identifier: Apache-2.0 */
/* Data that is legal and odd, or wrong: what trains, what is refused, and how the refusal names it. */
#include "test_api_world.h"

static cfd_context *context;

static void set_up(void)
{
    context = world_context(2, NULL);
}

static void tear_down(void)
{
    cfd_context_destroy(context);
}

static cfd_dataset *data_of(int32_t users, int32_t items)
{
    cfd_dataset *data;
    OK(cfd_dataset_create(context, users, items, &data));
    return data;
}

static void add(cfd_dataset *data, cfd_split split, int32_t user, int32_t item)
{
    OK(cfd_dataset_add_interactions(data, split, &user, &item, 1));
}

/* Trains a few steps; every loss and every score is a number. */
static void check_trains(cfd_dataset *data, const char *const *settings)
{
    cfd_dataset_info info = CFD_DATASET_INFO_INIT;
    OK(cfd_dataset_get_info(data, &info));
    cfd_config *config = world_config(settings);
    cfd_model *model = world_model(context, config, data);
    for (int step = 0; step < 5; step++) {
        cfd_losses losses = CFD_LOSSES_INIT;
        OK(cfd_train_step(model, NULL, &losses));
        ck_assert(isfinite(losses.total) && losses.total > 0.0);
    }
    cfd_scorer *scorer;
    OK(cfd_scorer_create(model, &scorer));
    float *scores = malloc(sizeof(float) * (size_t)info.n_items);
    for (int32_t u = 0; u < info.n_users; u++) {
        OK(cfd_score_users(scorer, &u, 1, NULL, 0, scores));
        for (int32_t i = 0; i < info.n_items; i++) {
            ck_assert_msg(isfinite(scores[i]), "user %d, item %d", (int)u, (int)i);
        }
    }
    free(scores);
    cfd_scorer_release(scorer);
    cfd_model_destroy(model);
    cfd_config_destroy(config);
}

/* Makes a model, which cannot draw a batch. */
static void check_draws_nothing(cfd_dataset *data)
{
    const char *const samplers[] = {"users", "interactions"};
    for (int i = 0; i < 2; i++) {
        cfd_config *config = WORLD_CONFIG("sampler", samplers[i], "select", "none", "epochs", "2");
        cfd_model *model = world_model(context, config, data);
        cfd_losses losses = CFD_LOSSES_INIT;
        losses.total = 3.5;
        FAILS(CFD_ERROR_DATA, "every user with interactions has every item", cfd_train_step(model, NULL, &losses));
        FAILS(CFD_ERROR_DATA, "every user with interactions has every item", cfd_compute_gradients(model, NULL, &losses));
        FAILS(CFD_ERROR_DATA, "every user with interactions has every item", cfd_train(model, NULL, NULL));
        ck_assert_double_eq(losses.total, 3.5);
        /* Serving works all the same. */
        cfd_scorer *scorer;
        OK(cfd_scorer_create(model, &scorer));
        const int32_t user = 0;
        int32_t best[3];
        int32_t count;
        OK(cfd_recommend(scorer, &user, 1, 3, NULL, best, NULL, &count));
        ck_assert_int_ge(count, 1);
        cfd_scorer_release(scorer);
        cfd_model_destroy(model);
        cfd_config_destroy(config);
    }
}

/* ---- small and lopsided worlds ---- */

START_TEST(one_user_trains)
{
    cfd_dataset *data = data_of(1, 5);
    add(data, CFD_SPLIT_TRAIN, 0, 1);
    add(data, CFD_SPLIT_TRAIN, 0, 3);
    check_trains(data, NULL);
    cfd_dataset_destroy(data);
}
END_TEST

START_TEST(one_item_is_everyones_and_cannot_be_trained_on)
{
    cfd_dataset *data = data_of(4, 1);
    for (int32_t u = 0; u < 3; u++) {
        add(data, CFD_SPLIT_TRAIN, u, 0);
    }
    check_draws_nothing(data);
    cfd_dataset_destroy(data);
    data = data_of(1, 1);
    add(data, CFD_SPLIT_TRAIN, 0, 0);
    check_draws_nothing(data);
    cfd_dataset_destroy(data);
}
END_TEST

START_TEST(users_who_have_everything_are_refused_only_where_all_do)
{
    cfd_dataset *data = data_of(3, 4);
    for (int32_t i = 0; i < 4; i++) {
        add(data, CFD_SPLIT_TRAIN, 0, i);
        add(data, CFD_SPLIT_TRAIN, 1, i);
    }
    check_draws_nothing(data); /* user 2 has nothing at all */
    cfd_dataset_destroy(data);
    data = data_of(3, 4);
    for (int32_t i = 0; i < 4; i++) {
        add(data, CFD_SPLIT_TRAIN, 0, i);
    }
    add(data, CFD_SPLIT_TRAIN, 2, 1);
    check_trains(data, NULL);
    check_trains(data, (const char *const[]){"sampler", "interactions", NULL});
    cfd_dataset_destroy(data);
}
END_TEST

START_TEST(a_user_who_has_everything_gets_no_recommendation)
{
    cfd_dataset *data = data_of(2, 3);
    for (int32_t i = 0; i < 3; i++) {
        add(data, CFD_SPLIT_TRAIN, 0, i);
    }
    add(data, CFD_SPLIT_TRAIN, 1, 2);
    cfd_config *config = world_config(NULL);
    cfd_model *model = world_model(context, config, data);
    cfd_scorer *scorer;
    OK(cfd_scorer_create(model, &scorer));
    const int32_t users[] = {0, 1};
    const int64_t offsets[] = {0, 3, 4};
    const int32_t excluded[] = {0, 1, 2, 2};
    cfd_filter filter = CFD_FILTER_INIT;
    filter.exclude_offsets = offsets;
    filter.exclude_items = excluded;
    int32_t items[4] = {7, 7, 7, 7};
    float scores[4];
    int32_t counts[2];
    OK(cfd_recommend(scorer, users, 2, 2, &filter, items, scores, counts));
    ck_assert_int_eq(counts[0], 0);
    ck_assert_int_eq(items[0], -1);
    ck_assert_int_eq(items[1], -1);
    ck_assert(isinf(scores[0]) && scores[0] < 0.0f);
    ck_assert_int_eq(counts[1], 2);
    ck_assert_int_eq(items[2] + items[3], 1); /* 0 and 1 */
    cfd_scorer_release(scorer);
    cfd_model_destroy(model);
    cfd_config_destroy(config);
    cfd_dataset_destroy(data);
}
END_TEST

START_TEST(without_training_interactions_there_is_no_model)
{
    const char *const merges[] = {"no", "yes"};
    for (int i = 0; i < 2; i++) {
        cfd_dataset *data = data_of(3, 4);
        cfd_config *config = WORLD_CONFIG("merge_validation", merges[i]);
        cfd_model *model = NULL;
        FAILS(CFD_ERROR_DATA, "no training interactions", cfd_model_create(context, config, data, &model));
        add(data, CFD_SPLIT_VALIDATION, 0, 1);
        add(data, CFD_SPLIT_TEST, 0, 2);
        FAILS(CFD_ERROR_DATA, "no training interactions", cfd_model_create(context, config, data, &model));
        ck_assert_ptr_null(model);
        add(data, CFD_SPLIT_TRAIN, 0, 3); /* the refusals did not close the data set */
        OK(cfd_model_create(context, config, data, &model));
        cfd_model_destroy(model);
        cfd_config_destroy(config);
        cfd_dataset_destroy(data);
    }
}
END_TEST

/* ---- ids ---- */

START_TEST(ids_out_of_range_are_named_with_their_position)
{
    cfd_dataset *data = data_of(3, 4);
    const int32_t good[] = {0, 1, 2};
    const int32_t bad[][3] = {{0, 3, 1}, {0, 1, -1}, {INT32_MAX, 0, 0}, {0, INT32_MIN, 0}};
    const char *const names[] = {"users[1] is 3", "users[2] is -1", "users[0] is 2147483647", "users[1] is -2147483648"};
    for (int i = 0; i < 4; i++) {
        FAILS(CFD_ERROR_ARGUMENT, names[i], cfd_dataset_add_interactions(data, CFD_SPLIT_TRAIN, bad[i], good, 3));
    }
    const int32_t item[] = {0, 1, 4};
    FAILS(CFD_ERROR_ARGUMENT, "items[2] is 4", cfd_dataset_add_interactions(data, CFD_SPLIT_TRAIN, good, item, 3));
    FAILS(CFD_ERROR_ARGUMENT, "split", cfd_dataset_add_interactions(data, (cfd_split)3, good, good, 3));
    cfd_dataset_info info = CFD_DATASET_INFO_INIT;
    OK(cfd_dataset_get_info(data, &info));
    ck_assert_int_eq(info.n_train, 0); /* not even the good ones before */
    cfd_dataset_destroy(data);
    const int32_t sizes[][2] = {{0, 1}, {1, 0}, {-1, 1}, {1, INT32_MIN}, {INT32_MAX, 1}, {1, INT32_MAX}};
    data = NULL;
    for (int i = 0; i < 6; i++) {
        FAILS(CFD_ERROR_ARGUMENT, "n_", cfd_dataset_create(context, sizes[i][0], sizes[i][1], &data));
    }
    ck_assert_ptr_null(data);
}
END_TEST

START_TEST(duplicates_count_once_and_are_reported)
{
    cfd_dataset *data = data_of(2, 3);
    const int32_t users[] = {0, 0, 1, 0, 1};
    const int32_t items[] = {1, 1, 2, 1, 2};
    OK(cfd_dataset_add_interactions(data, CFD_SPLIT_TRAIN, users, items, 5)); /* 3 repeats */
    OK(cfd_dataset_add_interactions(data, CFD_SPLIT_TRAIN, users, items, 1)); /* 1 that was there before */
    OK(cfd_dataset_add_interactions(data, CFD_SPLIT_TEST, users, items, 2));  /* 1; and train has it: leakage */
    cfd_dataset_info info = CFD_DATASET_INFO_INIT;
    OK(cfd_dataset_get_info(data, &info));
    ck_assert_int_eq(info.n_train, 2);
    ck_assert_int_eq(info.n_test, 1);
    ck_assert_int_eq(info.duplicates, 5);
    ck_assert_int_eq(info.leaked_test, 1);
    ck_assert_int_eq(info.leaked_users, 1);
    cfd_dataset_destroy(data);
}
END_TEST

/* Two data sets that differ in repeats alone give the same model. */
START_TEST(duplicates_do_not_change_the_model)
{
    float *scores[2];
    for (int times = 1; times <= 2; times++) {
        cfd_dataset *data = data_of(WORLD_USERS, WORLD_ITEMS);
        for (int t = 0; t < times; t++) {
            world_add_interactions(data);
        }
        world_add_photo(data);
        cfd_config *config = world_config(NULL);
        cfd_model *model = world_model(context, config, data);
        OK(cfd_train_step(model, NULL, NULL));
        scores[times - 1] = world_model_scores(model);
        cfd_model_destroy(model);
        cfd_config_destroy(config);
        cfd_dataset_destroy(data);
    }
    ck_assert(memcmp(scores[0], scores[1], sizeof(float) * WORLD_USERS * WORLD_ITEMS) == 0);
    free(scores[0]);
    free(scores[1]);
}
END_TEST

START_TEST(an_item_nobody_has_seen_is_legal_in_the_test_split)
{
    cfd_dataset *data = data_of(3, 5);
    for (int32_t u = 0; u < 3; u++) {
        add(data, CFD_SPLIT_TRAIN, u, u);
        add(data, CFD_SPLIT_TEST, u, 4);
    }
    cfd_dataset_info info = CFD_DATASET_INFO_INIT;
    OK(cfd_dataset_get_info(data, &info));
    ck_assert_int_eq(info.cold_test_items, 1);
    cfd_config *config = world_config(NULL);
    cfd_model *model = world_model(context, config, data);
    cfd_metrics metrics[3];
    size_t n_users;
    OK(cfd_evaluate(model, data, NULL, metrics, &n_users));
    ck_assert_uint_eq(n_users, 3);
    ck_assert_double_eq(metrics[0].hr, 1.0); /* of five items the first five hold it */
    cfd_model_destroy(model);
    cfd_config_destroy(config);
    cfd_dataset_destroy(data);
}
END_TEST

/* ---- features ---- */

START_TEST(features_that_are_no_numbers_are_named_by_row_and_column)
{
    cfd_dataset *data = data_of(2, 3);
    float f32[6] = {1, 2, 3, 4, NAN, 6};
    double f64[6] = {1, 2, 3, 4, 5, (double)INFINITY};
    uint16_t f16[6] = {0, 0, 0x7c00, 0, 0, 0}; /* infinity of binary16 */
    FAILS(CFD_ERROR_DATA, "row 2, column 0", cfd_dataset_add_dense_modality(data, "a", f32, CFD_FLOAT32, 2, 2));
    FAILS(CFD_ERROR_DATA, "row 2, column 1", cfd_dataset_add_dense_modality(data, "a", f64, CFD_FLOAT64, 2, 2));
    FAILS(CFD_ERROR_DATA, "row 1, column 0", cfd_dataset_add_dense_modality(data, "a", f16, CFD_FLOAT16, 2, 2));
    f64[5] = 1e300; /* finite, but not in float32 */
    FAILS(CFD_ERROR_DATA, "row 2, column 1", cfd_dataset_add_dense_modality(data, "a", f64, CFD_FLOAT64, 2, 2));
    const int64_t offsets[] = {0, 1, 1, 3};
    const int32_t columns[] = {4, 0, 3};
    const float values[] = {1.0f, 2.0f, -INFINITY};
    FAILS(CFD_ERROR_DATA, "row 2, column 3", cfd_dataset_add_sparse_modality(data, "a", 5, offsets, columns, values));
    cfd_dataset_info info = CFD_DATASET_INFO_INIT;
    OK(cfd_dataset_get_info(data, &info));
    ck_assert_int_eq(info.n_modalities, 0);
    cfd_dataset_destroy(data);
}
END_TEST

START_TEST(a_modality_without_content_trains_to_finite_numbers)
{
    static const char *const transforms[] = {"none", "center", "standardize", "l2", "svd:2"};
    for (size_t i = 0; i < 5; i++) {
        cfd_dataset *data = data_of(WORLD_USERS, WORLD_ITEMS);
        world_add_interactions(data);
        world_add_photo(data);
        static const float nothing[WORLD_ITEMS * 3] = {0};
        OK(cfd_dataset_add_dense_modality(data, "empty", nothing, CFD_FLOAT32, 3, 3));
        check_trains(data, (const char *const[]){"transform.empty", transforms[i], NULL});
        cfd_dataset_destroy(data);
    }
}
END_TEST

/* One column; columns that are all the same; more columns than items: whitening meets a matrix without full rank. */
START_TEST(features_of_deficient_rank_train_to_finite_numbers)
{
    cfd_dataset *data = data_of(WORLD_USERS, WORLD_ITEMS);
    world_add_interactions(data);
    static float one[WORLD_ITEMS];
    static float same[WORLD_ITEMS * 4];
    static float wide[WORLD_ITEMS * 200];
    uint32_t state = 5;
    for (int i = 0; i < WORLD_ITEMS; i++) {
        one[i] = world_noise(&state);
        for (int c = 0; c < 4; c++) {
            same[i * 4 + c] = 2.5f;
        }
        for (int c = 0; c < 200; c++) {
            wide[i * 200 + c] = 100.0f * world_noise(&state);
        }
    }
    OK(cfd_dataset_add_dense_modality(data, "one", one, CFD_FLOAT32, 1, 1));
    OK(cfd_dataset_add_dense_modality(data, "same", same, CFD_FLOAT32, 4, 4));
    OK(cfd_dataset_add_dense_modality(data, "wide", wide, CFD_FLOAT32, 200, 200));
    check_trains(data, NULL);
    cfd_dataset_destroy(data);
}
END_TEST

/* ---- what does not belong together ---- */

START_TEST(a_model_is_not_evaluated_on_a_data_set_of_another_size)
{
    cfd_dataset *data = world_data(context);
    cfd_config *config = world_config(NULL);
    cfd_model *model = world_model(context, config, data);
    const int32_t sizes[][2] = {{WORLD_USERS + 1, WORLD_ITEMS}, {WORLD_USERS, WORLD_ITEMS - 1}};
    for (int i = 0; i < 2; i++) {
        cfd_dataset *other = data_of(sizes[i][0], sizes[i][1]);
        add(other, CFD_SPLIT_TRAIN, 0, 1);
        add(other, CFD_SPLIT_TEST, 0, 2);
        cfd_metrics metrics[3];
        metrics[0].hr = 9.0;
        FAILS(CFD_ERROR_DATA, "the model has 48 users and 30 items", cfd_evaluate(model, other, NULL, metrics, NULL));
        ck_assert_double_eq(metrics[0].hr, 9.0);
        cfd_dataset_destroy(other);
    }
    cfd_model_destroy(model);
    cfd_config_destroy(config);
    cfd_dataset_destroy(data);
}
END_TEST

START_TEST(batches_of_the_callers_own_are_checked)
{
    cfd_dataset *data = world_data(context);
    cfd_config *config = world_config(NULL);
    cfd_model *model = world_model(context, config, data);
    int32_t users[17] = {0};
    int32_t positives[17] = {0};
    int32_t negatives[17] = {1};
    cfd_batch batch = CFD_BATCH_INIT;
    batch.users = users;
    batch.positives = positives;
    batch.negatives = negatives;
    FAILS(CFD_ERROR_ARGUMENT, "size is 0", cfd_train_step(model, &batch, NULL));
    batch.size = 17;
    FAILS(CFD_ERROR_ARGUMENT, "1 to 16", cfd_train_step(model, &batch, NULL));
    batch.size = 16;
    users[15] = WORLD_USERS;
    FAILS(CFD_ERROR_ARGUMENT, "users[15] is 48", cfd_train_step(model, &batch, NULL));
    users[15] = 0;
    negatives[3] = -1;
    FAILS(CFD_ERROR_ARGUMENT, "negatives[3] is -1", cfd_train_step(model, &batch, NULL));
    negatives[3] = 0; /* the same item as positive and negative, the same triple 15 times: odd and legal */
    cfd_losses losses = CFD_LOSSES_INIT;
    OK(cfd_train_step(model, &batch, &losses));
    ck_assert(isfinite(losses.total));
    cfd_model_info info = CFD_MODEL_INFO_INIT;
    OK(cfd_model_get_info(model, &info));
    ck_assert_int_eq(info.steps_done, 1);
    cfd_model_destroy(model);
    cfd_config_destroy(config);
    cfd_dataset_destroy(data);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("robust: data");
    TCase *t = tcase_create("data");
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, one_user_trains);
    tcase_add_test(t, one_item_is_everyones_and_cannot_be_trained_on);
    tcase_add_test(t, users_who_have_everything_are_refused_only_where_all_do);
    tcase_add_test(t, a_user_who_has_everything_gets_no_recommendation);
    tcase_add_test(t, without_training_interactions_there_is_no_model);
    tcase_add_test(t, ids_out_of_range_are_named_with_their_position);
    tcase_add_test(t, duplicates_count_once_and_are_reported);
    tcase_add_test(t, duplicates_do_not_change_the_model);
    tcase_add_test(t, an_item_nobody_has_seen_is_legal_in_the_test_split);
    tcase_add_test(t, features_that_are_no_numbers_are_named_by_row_and_column);
    tcase_add_test(t, a_modality_without_content_trains_to_finite_numbers);
    tcase_add_test(t, features_of_deficient_rank_train_to_finite_numbers);
    tcase_add_test(t, a_model_is_not_evaluated_on_a_data_set_of_another_size);
    tcase_add_test(t, batches_of_the_callers_own_are_checked);
    suite_add_tcase(s, t);
    return s;
}

TEST_MAIN(suite)
