/* SPDX-License-Identifier: Apache-2.0 */
/* Models that go on with more users and items. */
#include "test_api_world.h"

enum { MORE_USERS = 5, MORE_ITEMS = 4, ALL_USERS = WORLD_USERS + MORE_USERS, ALL_ITEMS = WORLD_ITEMS + MORE_ITEMS };

static cfd_context *context;
static cfd_dataset *data;
static cfd_model *model;

/* The world, and further users and items of its three kinds. */
static cfd_dataset *larger_data(int32_t photo_columns, int32_t tag_columns)
{
    cfd_dataset *larger;
    OK(cfd_dataset_create(context, ALL_USERS, ALL_ITEMS, &larger));
    world_add_interactions(larger);
    for (int32_t u = 0; u < ALL_USERS; u++) {
        for (int32_t i = u < WORLD_USERS ? WORLD_ITEMS : 0; i < ALL_ITEMS; i++) {
            if (i % 3 == u % 3) {
                OK(cfd_dataset_add_interactions(larger, CFD_SPLIT_TRAIN, &u, &i, 1));
            }
        }
    }
    static float known[WORLD_ITEMS][WORLD_PHOTO];
    float *photo = calloc((size_t)(ALL_ITEMS * photo_columns), sizeof *photo);
    world_fill_photo(known);
    int64_t offsets[ALL_ITEMS + 1] = {0};
    int32_t tags[3 * ALL_ITEMS];
    int32_t n = 0;
    for (int32_t i = 0; i < ALL_ITEMS; i++) {
        for (int32_t c = 0; c < WORLD_PHOTO && c < photo_columns; c++) {
            photo[i * photo_columns + c] = i < WORLD_ITEMS ? known[i][c] : (float)(c % 3 == i % 3) + 0.5f;
        }
        for (int32_t k = 0; k < 3 && i > 0; k++) {
            tags[n++] = k < 2 ? 3 * k + i % 3 : i < WORLD_ITEMS ? 6 + (i * 5) % 6 : tag_columns - 1;
        }
        offsets[i + 1] = n;
    }
    OK(cfd_dataset_add_dense_modality(larger, "photo", photo, CFD_FLOAT32, photo_columns, (size_t)photo_columns));
    OK(cfd_dataset_add_sparse_modality(larger, "tags", tag_columns, offsets, tags, NULL));
    free(photo);
    return larger;
}

static void open_with(const char *transform)
{
    context = world_context(2, NULL);
    data = world_data(context);
    cfd_config *config = WORLD_CONFIG("transform.photo", transform, "keep.history", "yes");
    model = world_model(context, config, data);
    cfd_config_destroy(config);
    for (int step = 0; step < 30; step++) {
        OK(cfd_train_step(model, NULL, NULL));
    }
}

static void open_world(void)
{
    open_with("none");
}

static void close_world(void)
{
    cfd_model_destroy(model);
    cfd_dataset_destroy(data);
    cfd_context_destroy(context);
}

static float *parameter(const cfd_model *of, const char *name, size_t n)
{
    float *values = malloc(n * sizeof *values);
    OK(cfd_model_get_parameter(of, name, values, n));
    return values;
}

/* With the same data it is the same model: it trains on as the first one does, bit by bit. */
START_TEST(with_nothing_new_it_trains_on_as_before)
{
    if (_i == 1) {
        close_world();
        open_with("center,l2,svd:4,standardize");
    }
    cfd_dataset *same = world_data(context);
    cfd_model *extended;
    OK(cfd_model_extend(model, same, &extended));
    cfd_dataset_destroy(same);
    for (int step = 0; step < 4; step++) {
        float *before = world_model_scores(model);
        float *after = world_model_scores(extended);
        if (_i == 0) {
            ck_assert_mem_eq(before, after, sizeof(float) * WORLD_USERS * WORLD_ITEMS);
        } else { /* the transform is a matrix product the first time, and row by row now */
            for (int k = 0; k < WORLD_USERS * WORLD_ITEMS; k++) {
                ck_assert_double_le(fabs((double)before[k] - after[k]), 2e-3 * (1 + fabs((double)before[k])));
            }
        }
        free(before);
        free(after);
        OK(cfd_train_step(model, NULL, NULL));
        OK(cfd_train_step(extended, NULL, NULL));
    }
    cfd_model_destroy(extended);
}
END_TEST

START_TEST(what_was_learnt_is_kept_and_the_new_is_learnt)
{
    cfd_dataset *larger = larger_data(WORLD_PHOTO, WORLD_TAGS + 1);
    cfd_model *extended;
    OK(cfd_model_extend(model, larger, &extended));
    cfd_model_info info = CFD_MODEL_INFO_INIT;
    OK(cfd_model_get_info(extended, &info));
    ck_assert_int_eq(info.steps_done, 30);
    ck_assert_int_eq(info.n_users, ALL_USERS);
    const struct {
        const char *name;
        size_t rows, more;
    } kept[] = {{"user.id", WORLD_USERS, MORE_USERS},           {"item.id", WORLD_ITEMS, MORE_ITEMS},
                {"user.common.photo", WORLD_USERS, MORE_USERS}, {"user.differential.tags", WORLD_USERS, MORE_USERS},
                {"proj.common.photo", WORLD_PHOTO, 0},          {"proj.differential.tags", WORLD_TAGS, 1}};
    for (size_t t = 0; t < sizeof kept / sizeof *kept; t++) {
        float *before = parameter(model, kept[t].name, kept[t].rows * 8);
        float *after = parameter(extended, kept[t].name, (kept[t].rows + kept[t].more) * 8);
        ck_assert_mem_eq(before, after, kept[t].rows * 8 * sizeof(float));
        for (size_t k = 0; k < kept[t].more * 8; k++) {
            ck_assert(after[kept[t].rows * 8 + k] != 0.0f);
        }
        free(before);
        free(after);
    }
    for (int step = 0; step < 60; step++) {
        OK(cfd_train_step(extended, NULL, NULL));
    }
    /* New users prefer items of their kind, and old ones the new items of theirs. */
    cfd_scorer *scorer;
    OK(cfd_scorer_create(extended, &scorer));
    int32_t right = 0;
    for (int32_t u = 0; u < ALL_USERS; u++) {
        float scores[ALL_ITEMS];
        OK(cfd_score_users(scorer, &u, 1, NULL, 0, scores));
        for (int32_t i = WORLD_ITEMS; i + 2 < ALL_ITEMS; i++) {
            float own = i % 3 == u % 3 ? scores[i] : (i + 1) % 3 == u % 3 ? scores[i + 1] : scores[i + 2];
            right += own >= scores[i] && own >= scores[i + 1] && own >= scores[i + 2];
        }
    }
    ck_assert_int_gt(right, ALL_USERS * 2 * 8 / 10);
    cfd_scorer_release(scorer);
    cfd_model_destroy(extended);
    cfd_dataset_destroy(larger);
}
END_TEST

START_TEST(data_that_do_not_include_the_models_are_refused)
{
    cfd_model *extended = NULL;
    cfd_dataset *small;
    const int32_t zero = 0;
    OK(cfd_dataset_create(context, WORLD_USERS - 1, WORLD_ITEMS, &small));
    OK(cfd_dataset_add_interactions(small, CFD_SPLIT_TRAIN, &zero, &zero, 1));
    world_add_photo(small);
    FAILS(CFD_ERROR_DATA, "play the model's roles", cfd_model_extend(model, small, &extended));
    world_add_tags(small);
    FAILS(CFD_ERROR_DATA, "47 users, 30 items and 2 modalities do not include 48, 30 and 2",
          cfd_model_extend(model, small, &extended));
    cfd_dataset_destroy(small);
    cfd_dataset *narrow = larger_data(WORLD_PHOTO - 1, WORLD_TAGS);
    FAILS(CFD_ERROR_DATA, "role photo: 5 columns do not include 6", cfd_model_extend(model, narrow, &extended));
    cfd_dataset_destroy(narrow);
    close_world();
    open_with("center,svd:4");
    cfd_dataset *wide = larger_data(WORLD_PHOTO + 1, WORLD_TAGS);
    FAILS(CFD_ERROR_DATA, "role photo: 7 columns, but transform.photo was fitted to 6",
          cfd_model_extend(model, wide, &extended));
    cfd_dataset_destroy(wide);
    ck_assert_ptr_null(extended);
    OK(cfd_train_step(model, NULL, NULL)); /* it is as it was */
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("models that grow");
    TCase *tc = tcase_create("growth");
    tcase_add_checked_fixture(tc, open_world, close_world);
    tcase_add_loop_test(tc, with_nothing_new_it_trains_on_as_before, 0, 2);
    tcase_add_test(tc, what_was_learnt_is_kept_and_the_new_is_learnt);
    tcase_add_test(tc, data_that_do_not_include_the_models_are_refused);
    suite_add_tcase(s, tc);
    return s;
}

TEST_MAIN(suite)
