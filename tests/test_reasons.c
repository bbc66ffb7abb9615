/* SPDX-License-Identifier: Apache-2.0 */
/* Likeness of items, search across modalities, and scores taken apart: against plain loops over the model's embeddings. */
#include "test_api_world.h"

enum { D = 8, NODES = WORLD_USERS + WORLD_ITEMS };

static cfd_context *context;
static cfd_dataset *data;
static cfd_model *model;
static cfd_scorer *scorer;

static void open_with(const char *distillation)
{
    context = world_context(2, NULL);
    data = world_data(context);
    cfd_config *config = WORLD_CONFIG("keep.history", "yes", "lambda.photo", "0.6", "lambda.tags", "1.3", "lambda.fused",
                                      "0.8", "common_distillation", distillation);
    model = world_model(context, config, data);
    cfd_config_destroy(config);
    for (int step = 0; step < 20; step++) {
        OK(cfd_train_step(model, NULL, NULL));
    }
    OK(cfd_scorer_create(model, &scorer));
}

static void open_world(void)
{
    open_with("align");
}

static void close_world(void)
{
    cfd_scorer_release(scorer);
    cfd_model_destroy(model);
    cfd_dataset_destroy(data);
    cfd_context_destroy(context);
}

/* A propagated embedding of all nodes. */
static float *embedding(const char *name, int32_t width)
{
    size_t n = (size_t)NODES * (size_t)width;
    float *values = malloc(n * sizeof *values);
    OK(cfd_model_get_embedding(model, name, values, n));
    return values;
}

static double product(const float *a, const float *b, int32_t n)
{
    double sum = 0.0;
    for (int32_t c = 0; c < n; c++) {
        sum += (double)a[c] * b[c];
    }
    return sum;
}

static double cosine(const float *a, const float *b, int32_t n)
{
    return product(a, b, n) / sqrt(product(a, a, n) * product(b, b, n));
}

/* ---- likeness ---- */

/* A list of every item by cosine, against loops over one embedding. */
static void check_likeness(const char *name, int32_t width, cfd_part part, const char *role)
{
    float *rows = embedding(name, width);
    const float *items = rows + WORLD_USERS * width;
    const int32_t asked[2] = {3, 17};
    int32_t list[2 * WORLD_ITEMS];
    float scores[2 * WORLD_ITEMS];
    int32_t counts[2];
    OK(cfd_similar_items(scorer, asked, 2, part, role, WORLD_ITEMS, NULL, list, scores, counts));
    for (int q = 0; q < 2; q++) {
        ck_assert_int_eq(counts[q], WORLD_ITEMS - 1); /* all but itself */
        ck_assert_int_eq(list[(q + 1) * WORLD_ITEMS - 1], -1);
        bool seen[WORLD_ITEMS] = {false};
        for (int k = 0; k < counts[q]; k++) {
            int32_t item = list[q * WORLD_ITEMS + k];
            float score = scores[q * WORLD_ITEMS + k];
            ck_assert(item != asked[q] && !seen[item]);
            seen[item] = true;
            ck_assert_double_le(fabs(cosine(items + asked[q] * width, items + item * width, width) - score), 2e-6);
            ck_assert(k == 0 || score <= scores[q * WORLD_ITEMS + k - 1]);
        }
    }
    free(rows);
}

START_TEST(likeness_is_the_cosine_of_the_part)
{
    check_likeness("base", D, CFD_PART_BASE, NULL);
    check_likeness("common.photo", D, CFD_PART_COMMON, "photo");
    check_likeness("differential.tags", D, CFD_PART_DIFFERENTIAL, "tags");
    check_likeness("fused", 4 * D, CFD_PART_FUSED, NULL);
}
END_TEST

START_TEST(likeness_obeys_filters)
{
    cfd_filter filter = CFD_FILTER_INIT;
    const int32_t item = 6;
    const int64_t offsets[] = {0, 1};
    const int32_t excluded[] = {9};
    const int32_t allowed[] = {12, 6, 9, 3, 0, 15};
    const int32_t denied[] = {15};
    filter.exclude_offsets = offsets;
    filter.exclude_items = excluded;
    filter.allow_items = allowed;
    filter.n_allow_items = 6;
    filter.deny_items = denied;
    filter.n_deny_items = 1;
    int32_t list[5];
    float scores[5];
    int32_t count;
    OK(cfd_similar_items(scorer, &item, 1, CFD_PART_COMMON, NULL, 5, &filter, list, scores, &count));
    ck_assert_int_eq(count, 3);
    for (int k = 0; k < 3; k++) {
        ck_assert(list[k] == 12 || list[k] == 3 || list[k] == 0);
    }
    filter.has_min_score = 1;
    filter.min_score = scores[1];
    OK(cfd_similar_items(scorer, &item, 1, CFD_PART_COMMON, NULL, 5, &filter, list, scores, &count));
    ck_assert_int_eq(count, 2);
    ck_assert_int_eq(list[2], -1);
    FAILS(CFD_ERROR_ARGUMENT, "no role \"sound\"",
          cfd_similar_items(scorer, &item, 1, CFD_PART_COMMON, "sound", 5, NULL, list, scores, &count));
    FAILS(CFD_ERROR_ARGUMENT, "part 4",
          cfd_similar_items(scorer, &item, 1, (cfd_part)4, NULL, 5, NULL, list, scores, &count));
    FAILS(CFD_ERROR_ARGUMENT, "k is 0",
          cfd_similar_items(scorer, &item, 1, CFD_PART_BASE, NULL, 0, NULL, list, scores, &count));
}
END_TEST

/* ---- search ---- */

/* A photo handed in finds what the cosine of its unpropagated common row with the tags' propagated ones says. */
static void check_search(float sign)
{
    static float photo[WORLD_ITEMS][WORLD_PHOTO];
    world_fill_photo(photo);
    cfd_item_features features = CFD_ITEM_FEATURES_INIT;
    features.role = "photo";
    features.dense = photo;
    features.stride = features.columns = WORLD_PHOTO;
    int32_t list[2 * WORLD_ITEMS];
    float scores[2 * WORLD_ITEMS];
    OK(cfd_search_items(scorer, &features, 2, "tags", WORLD_ITEMS, NULL, list, scores, NULL));
    /* Its row of X: that of an item without users. */
    cfd_new_items cold = CFD_NEW_ITEMS_INIT;
    cold.n_items = 2;
    cold.features = &features;
    cold.n_features = 1;
    float keys[2][D + 8 * D];
    OK(cfd_fold_in_items(scorer, &cold, keys[0], NULL));
    float *tags = embedding("common.tags", D);
    for (int q = 0; q < 2; q++) {
        for (int k = 0; k < WORLD_ITEMS; k++) {
            int32_t item = list[q * WORLD_ITEMS + k];
            double expected = sign * cosine(keys[q] + D, tags + (WORLD_USERS + item) * D, D);
            ck_assert_double_le(fabs(expected - scores[q * WORLD_ITEMS + k]), 5e-6);
        }
    }
    free(tags);
}

START_TEST(search_compares_common_parts)
{
    check_search(1.0f);
}
END_TEST

START_TEST(search_knows_the_released_sign)
{
    close_world();
    open_with("released");
    check_search(-1.0f);
}
END_TEST

/* ---- explanations ---- */

START_TEST(parts_add_up_to_the_score)
{
    float *base = embedding("base", D);
    float *common = embedding("common.tags", D);
    float *differential = embedding("differential.photo", D);
    float *fused = embedding("fused", 4 * D);
    int32_t photo = strcmp(cfd_scorer_role(scorer, 0), "photo") == 0 ? 0 : 1;
    for (int32_t user = 0; user < WORLD_USERS; user += 5) {
        for (int32_t item = 0; item < WORLD_ITEMS; item += 3) {
            cfd_explanation why = CFD_EXPLANATION_INIT;
            float score;
            size_t i = (size_t)(WORLD_USERS + item);
            size_t u = (size_t)user;
            OK(cfd_explain(scorer, user, item, &why, NULL, 0, 0, NULL, NULL));
            OK(cfd_score_pairs(scorer, &user, &item, 1, &score));
            ck_assert_double_le(fabs(why.score - score), 1e-5 * (1 + fabs(why.score)));
            double sum = why.base + why.fused + why.common[0] + why.common[1] + why.differential[0] + why.differential[1];
            ck_assert_double_le(fabs(why.score - sum), 1e-12);
            ck_assert_double_le(fabs(why.base - product(base + u * D, base + i * D, D)), 1e-6);
            ck_assert_double_le(fabs(why.common[1 - photo] - 1.3 * product(common + u * D, common + i * D, D)), 1e-6);
            ck_assert_double_le(fabs(why.differential[photo] - 0.6 * product(differential + u * D, differential + i * D, D)),
                                1e-6);
            ck_assert_double_le(fabs(why.fused - 0.8 * product(fused + u * 4 * D, fused + i * 4 * D, 4 * D)), 1e-6);
        }
    }
    free(base);
    free(common);
    free(differential);
    free(fused);
}
END_TEST

/* The user's items, the largest contribution first; the scorer's own history is the same list. */
START_TEST(contributions_are_sorted)
{
    const int32_t user = 7;
    const int32_t *history;
    size_t n;
    OK(cfd_dataset_user_items(data, CFD_SPLIT_TRAIN, user, &history, &n));
    int32_t items[2][WORLD_ITEMS];
    float contributions[2][WORLD_ITEMS];
    OK(cfd_explain(scorer, user, 5, NULL, history, n, WORLD_ITEMS, items[0], contributions[0]));
    OK(cfd_explain(scorer, user, 5, NULL, NULL, 0, WORLD_ITEMS, items[1], contributions[1]));
    ck_assert_mem_eq(items[0], items[1], sizeof items[0]);
    ck_assert_mem_eq(contributions[0], contributions[1], sizeof contributions[0]);
    for (size_t k = 0; k < WORLD_ITEMS; k++) {
        ck_assert_int_eq(items[0][k] >= 0, k < n);
        ck_assert(k == 0 || k >= n || contributions[0][k] <= contributions[0][k - 1]);
        ck_assert(k < n || contributions[0][k] == 0.0f);
    }
    OK(cfd_explain(scorer, user, 5, NULL, history, n, 2, items[1], contributions[1]));
    ck_assert_mem_eq(items[0], items[1], 2 * sizeof(int32_t));
}
END_TEST

static void clear_user(const char *name, int32_t user)
{
    size_t n = (size_t)WORLD_USERS * D;
    float *values = malloc(n * sizeof *values);
    OK(cfd_model_get_parameter(model, name, values, n));
    memset(values + user * D, 0, D * sizeof *values);
    OK(cfd_model_set_parameter(model, name, values, n));
    free(values);
}

/* Of a user without parameters, one layer deep, all of a score comes through the items, but for what the user's own row of P
 * adds to its fused row: (1 / degree) P_u . S_i. */
START_TEST(contributions_add_up_to_what_the_items_say)
{
    const int32_t user = 7;
    const char *const names[] = {"user.id", "user.common.photo", "user.differential.photo", "user.common.tags",
                                 "user.differential.tags"};
    close_world();
    context = world_context(1, NULL);
    data = world_data(context);
    cfd_config *config = WORLD_CONFIG("layers", "1", "lambda.fused", "0.8", "lambda.photo", "0.3");
    model = world_model(context, config, data);
    cfd_config_destroy(config);
    for (int t = 0; t < 5; t++) {
        clear_user(names[t], user);
    }
    OK(cfd_scorer_create(model, &scorer));
    const int32_t *history;
    size_t n;
    OK(cfd_dataset_user_items(data, CFD_SPLIT_TRAIN, user, &history, &n));
    float *fused = embedding("fused", 4 * D);
    float *parts[4];
    for (int t = 0; t < 4; t++) { /* as they stand side by side: common and differential of each role */
        parts[t] = embedding(names[1 + t] + strlen("user."), D);
    }
    int32_t first = strcmp(cfd_scorer_role(scorer, 0), "photo") == 0 ? 0 : 2;
    for (int32_t item = 0; item < WORLD_ITEMS; item += 4) {
        int32_t items[WORLD_ITEMS];
        float contributions[WORLD_ITEMS];
        cfd_explanation why = CFD_EXPLANATION_INIT;
        OK(cfd_explain(scorer, user, item, &why, history, n, n, items, contributions));
        double sum = 0.0;
        for (size_t k = 0; k < n; k++) {
            sum += contributions[k];
        }
        for (int t = 0; t < 4; t++) {
            const float *own = parts[(first + t) % 4] + user * D;
            sum += 0.8 / (double)(n + 1) * product(own, fused + (WORLD_USERS + item) * 4 * D + t * D, D);
        }
        ck_assert_double_gt(fabs(why.score), 1e-4);
        ck_assert_double_le(fabs(why.score - sum), 1e-5 * (1 + fabs(why.score)));
    }
    for (int t = 0; t < 4; t++) {
        free(parts[t]);
    }
    free(fused);
}
END_TEST

START_TEST(bad_questions_are_refused)
{
    cfd_explanation why = CFD_EXPLANATION_INIT;
    int32_t item;
    float contribution;
    FAILS(CFD_ERROR_ARGUMENT, "user is 48", cfd_explain(scorer, WORLD_USERS, 0, &why, NULL, 0, 0, NULL, NULL));
    FAILS(CFD_ERROR_ARGUMENT, "item is -1", cfd_explain(scorer, 0, -1, &why, NULL, 0, 0, NULL, NULL));
    FAILS(CFD_ERROR_ARGUMENT, "contributors is NULL", cfd_explain(scorer, 0, 0, &why, NULL, 0, 1, NULL, &contribution));
    FAILS(CFD_ERROR_ARGUMENT, "history",
          cfd_explain(scorer, 0, 0, &why, (const int32_t[]){0, 30}, 2, 1, &item, &contribution));
    cfd_item_features features = CFD_ITEM_FEATURES_INIT;
    FAILS(CFD_ERROR_ARGUMENT, "other_role is NULL",
          cfd_search_items(scorer, &features, 1, NULL, 1, NULL, &item, NULL, NULL));
    FAILS(CFD_ERROR_ARGUMENT, "no role \"NULL\"",
          cfd_search_items(scorer, &features, 1, "tags", 1, NULL, &item, NULL, NULL));
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("reasons");
    TCase *tc = tcase_create("likeness, search, explanations");
    tcase_add_checked_fixture(tc, open_world, close_world);
    tcase_add_test(tc, likeness_is_the_cosine_of_the_part);
    tcase_add_test(tc, likeness_obeys_filters);
    tcase_add_test(tc, search_compares_common_parts);
    tcase_add_test(tc, search_knows_the_released_sign);
    tcase_add_test(tc, parts_add_up_to_the_score);
    tcase_add_test(tc, contributions_are_sorted);
    tcase_add_test(tc, contributions_add_up_to_what_the_items_say);
    tcase_add_test(tc, bad_questions_are_refused);
    suite_add_tcase(s, tc);
    return s;
}

TEST_MAIN(suite)
