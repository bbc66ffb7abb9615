/* SPDX-License-Identifier: Apache-2.0 */
/* Users and items that were not there in training. Whoever has nothing of its own is, once trained with, exactly what
 * folding in makes of it: so known users and items whose own parameters are set to zero are the yardstick. */
#define _POSIX_C_SOURCE 200809L
#include "model_support.h"
#include "test_api_world.h"

#include <unistd.h>

static cfd_context *context;
static cfd_dataset *data;
static char file[] = "fold-in-XXXXXX";

enum { WAYS = 6, ITEMS_TRIED = 3 };

/* Ways to be made: transforms, unlike graphs, missing branches, scores renormalised. */
static cfd_config *config_of_way(int way)
{
    switch (way) {
    case 0: return WORLD_CONFIG("keep.history", "yes");
    case 1:
        return WORLD_CONFIG("keep.history", "yes", "transform.photo", "center,l2,svd:4,standardize", "transform.tags",
                            "svd:3,l2", "whiten.tags", "no", "lambda.photo", "0.4", "lambda.fused", "0.7");
    case 2:
        return WORLD_CONFIG("keep.history", "yes", "common_exponent", "-0.3", "differential_exponent.left", "-0.7",
                            "fused_exponent", "-0.2", "base_exponent", "-0.4", "layers", "4");
    case 3: return WORLD_CONFIG("keep.history", "yes", "branch.base", "no", "branch.common", "no");
    case 4:
        return WORLD_CONFIG("keep.history", "yes", "missing.renormalise", "yes", "lambda.photo", "0.4", "lambda.tags", "2");
    default: return WORLD_CONFIG("keep.history", "yes", "branch.fused", "no", "branch.differential", "no", "layers", "1");
    }
}

static cfd_model *trained_model(int way)
{
    cfd_config *config = config_of_way(way);
    cfd_model *model = world_model(context, config, data);
    for (int step = 0; step < 5; step++) {
        OK(cfd_train_step(model, NULL, NULL));
    }
    cfd_config_destroy(config);
    return model;
}

/* Sets one row of every parameter whose name begins so to zero. */
static void clear_rows(cfd_model *model, const char *prefix, int32_t row)
{
    cfd_model_info info = CFD_MODEL_INFO_INIT;
    OK(cfd_model_get_info(model, &info));
    for (size_t i = 0; i < info.n_tensors; i++) {
        cfd_tensor_info tensor = CFD_TENSOR_INFO_INIT;
        OK(cfd_model_get_tensor_info(model, i, &tensor));
        if (strncmp(tensor.name, prefix, strlen(prefix)) == 0) {
            size_t n = (size_t)(tensor.rows * tensor.columns);
            float *values = malloc(n * sizeof *values);
            OK(cfd_model_get_parameter(model, tensor.name, values, n));
            memset(values + row * tensor.columns, 0, (size_t)tensor.columns * sizeof *values);
            OK(cfd_model_set_parameter(model, tensor.name, values, n));
            free(values);
        }
    }
}

static cfd_scorer *scorer_of(cfd_model *model)
{
    cfd_scorer *scorer;
    OK(cfd_scorer_create(model, &scorer));
    return scorer;
}

/* The same after a way through a file. */
static cfd_scorer *loaded_scorer(cfd_model *model)
{
    cfd_scorer *scorer;
    OK(cfd_model_save(model, file));
    OK(cfd_scorer_load(context, file, &scorer));
    ck_assert_int_eq(unlink(file), 0);
    return scorer;
}

static size_t width_of(const cfd_scorer *scorer)
{
    cfd_scorer_info info = CFD_SCORER_INFO_INIT;
    OK(cfd_scorer_get_info(scorer, &info));
    return (size_t)info.width;
}

static void open_world(void)
{
    context = world_context(2, NULL);
    data = world_data(context);
    int descriptor = mkstemp(file);
    ck_assert_int_ge(descriptor, 0);
    close(descriptor);
}

static void close_world(void)
{
    unlink(file);
    cfd_dataset_destroy(data);
    cfd_context_destroy(context);
}

static void near_rows(const float *expected, const float *actual, size_t n, double tolerance)
{
    double largest = 0.0;
    for (size_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs((double)expected[i]));
    }
    ck_assert_double_gt(largest, 1e-3); /* else nothing is compared */
    for (size_t i = 0; i < n; i++) {
        ck_assert_double_le(fabs((double)expected[i] - actual[i]), tolerance * largest);
    }
}

/* ---- users ---- */

START_TEST(a_user_without_parameters_is_what_folding_in_makes_of_it)
{
    const int32_t user = 7;
    cfd_model *model = trained_model(_i);
    clear_rows(model, "user.", user);
    cfd_scorer *scorers[2] = {scorer_of(model), loaded_scorer(model)};
    const int32_t *items;
    size_t n;
    OK(cfd_dataset_user_items(data, CFD_SPLIT_TRAIN, user, &items, &n));
    float queries[2][256];
    for (int s = 0; s < 2; s++) {
        float expected[WORLD_ITEMS];
        float actual[WORLD_ITEMS];
        OK(cfd_score_users(scorers[s], &user, 1, NULL, 0, expected));
        OK(cfd_fold_in_user(scorers[s], items, n, queries[s]));
        OK(cfd_score_queries(scorers[s], queries[s], 1, NULL, 0, actual));
        near_rows(expected, actual, WORLD_ITEMS, 2e-5);
    }
    ck_assert_mem_eq(queries[0], queries[1], width_of(scorers[0]) * sizeof(float));
    cfd_scorer_release(scorers[0]);
    cfd_scorer_release(scorers[1]);
    cfd_model_destroy(model);
}
END_TEST

/* Nodes come from any device: what a GPU's memory holds, or the reference's. */
START_TEST(every_device_leaves_the_nodes_that_folding_in_needs)
{
    static const char *const devices[] = {"reference", "cuda"};
    const int32_t user = 7;
    if (!device_is_tested(devices[_i])) {
        return;
    }
    cfd_context *own = open_context(devices[_i], 2, 2024);
    cfd_dataset *own_data = world_data(own);
    cfd_config *config = config_of_way(1);
    cfd_model *model = world_model(own, config, own_data);
    for (int step = 0; step < 2; step++) {
        OK(cfd_train_step(model, NULL, NULL));
    }
    clear_rows(model, "user.", user);
    cfd_scorer *scorer = scorer_of(model);
    const int32_t *items;
    size_t n;
    OK(cfd_dataset_user_items(own_data, CFD_SPLIT_TRAIN, user, &items, &n));
    float query[256];
    float expected[WORLD_ITEMS];
    float actual[WORLD_ITEMS];
    OK(cfd_score_users(scorer, &user, 1, NULL, 0, expected));
    OK(cfd_fold_in_user(scorer, items, n, query));
    OK(cfd_score_queries(scorer, query, 1, NULL, 0, actual));
    near_rows(expected, actual, WORLD_ITEMS, 2e-5);
    cfd_scorer_release(scorer);
    cfd_model_destroy(model);
    cfd_config_destroy(config);
    cfd_dataset_destroy(own_data);
    cfd_context_destroy(own);
}
END_TEST

START_TEST(order_and_repeats_of_the_items_do_not_matter)
{
    cfd_model *model = trained_model(0);
    cfd_scorer *scorer = scorer_of(model);
    float a[256];
    float b[256];
    OK(cfd_fold_in_user(scorer, (const int32_t[]){3, 9, 12}, 3, a));
    OK(cfd_fold_in_user(scorer, (const int32_t[]){12, 3, 9, 3, 12}, 5, b));
    ck_assert_mem_eq(a, b, width_of(scorer) * sizeof(float));
    OK(cfd_fold_in_user(scorer, NULL, 0, a));
    for (size_t c = 0; c < width_of(scorer); c++) {
        ck_assert_float_eq(a[c], 0.0f);
    }
    cfd_scorer_release(scorer);
    cfd_model_destroy(model);
}
END_TEST

/* Lists of query rows are those of users with these rows. */
START_TEST(query_rows_are_served_as_users_are)
{
    cfd_model *model = trained_model(1);
    clear_rows(model, "user.", 4);
    cfd_scorer *scorer = scorer_of(model);
    const int32_t *items;
    size_t n;
    OK(cfd_dataset_user_items(data, CFD_SPLIT_TRAIN, 4, &items, &n));
    size_t width = width_of(scorer);
    float queries[3 * 256];
    for (int i = 0; i < 3; i++) {
        OK(cfd_fold_in_user(scorer, items, n, queries + (size_t)i * width));
    }
    cfd_filter filter = CFD_FILTER_INIT;
    const int64_t offsets[] = {0, 1, 1, 3};
    const int32_t excluded[] = {2, 9, 5};
    filter.exclude_offsets = offsets;
    filter.exclude_items = excluded;
    int32_t list[3 * 6];
    float scores[3 * 6];
    float all[3 * WORLD_ITEMS];
    OK(cfd_recommend_queries(scorer, queries, 3, 6, &filter, list, scores, NULL));
    OK(cfd_score_queries(scorer, queries, 3, NULL, 0, all));
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 6; k++) {
            int32_t item = list[6 * i + k];
            ck_assert_float_eq(scores[6 * i + k], all[i * WORLD_ITEMS + item]);
            ck_assert(!(i == 0 && item == 2) && !(i == 2 && (item == 9 || item == 5)));
            ck_assert(k == 0 || scores[6 * i + k] <= scores[6 * i + k - 1]);
        }
    }
    filter.exclude_seen = 1;
    FAILS(CFD_ERROR_ARGUMENT, "exclude_seen", cfd_recommend_queries(scorer, queries, 3, 6, &filter, list, scores, NULL));
    queries[width + 1] = NAN;
    FAILS(CFD_ERROR_DATA, "row 1, column 1", cfd_score_queries(scorer, queries, 3, NULL, 0, all));
    FAILS(CFD_ERROR_DATA, "row 1, column 1", cfd_recommend_queries(scorer, queries, 3, 6, NULL, list, scores, NULL));
    cfd_scorer_release(scorer);
    cfd_model_destroy(model);
}
END_TEST

/* ---- items ---- */

/* The content of one item of the world, and who has it in training. */
typedef struct known_item {
    float photo[WORLD_PHOTO];
    int64_t tag_offsets[2], user_offsets[2];
    int32_t tags[3], users[WORLD_USERS];
    cfd_item_features features[2];
    cfd_new_items items;
} known_item;

static void know_item(known_item *known, int32_t item)
{
    static float photo[WORLD_ITEMS][WORLD_PHOTO];
    world_fill_photo(photo);
    memset(known, 0, sizeof *known);
    memcpy(known->photo, photo[item], sizeof known->photo);
    for (int32_t k = 0; k < 3 && item > 0; k++) {
        known->tags[known->tag_offsets[1]++] = k < 2 ? 3 * k + item % 3 : 6 + (item * 5) % 6;
    }
    for (int32_t u = 0; u < WORLD_USERS; u++) {
        const int32_t *items;
        size_t n;
        OK(cfd_dataset_user_items(data, CFD_SPLIT_TRAIN, u, &items, &n));
        for (size_t k = 0; k < n; k++) {
            if (items[k] == item) {
                known->users[known->user_offsets[1]++] = u;
            }
        }
    }
    known->features[0] = (cfd_item_features)CFD_ITEM_FEATURES_INIT;
    known->features[0].role = "photo";
    known->features[0].dense = known->photo;
    known->features[0].stride = known->features[0].columns = WORLD_PHOTO;
    known->features[1] = (cfd_item_features)CFD_ITEM_FEATURES_INIT;
    known->features[1].role = "tags";
    known->features[1].row_offsets = known->tag_offsets;
    known->features[1].column_ids = known->tags;
    known->features[1].columns = WORLD_TAGS;
    known->items = (cfd_new_items)CFD_NEW_ITEMS_INIT;
    known->items.n_items = 1;
    known->items.features = known->features;
    known->items.n_features = 2;
    known->items.user_offsets = known->user_offsets;
    known->items.users = known->users;
}

static float *scores_of_all(const cfd_scorer *scorer, size_t n_items)
{
    float *scores = malloc(WORLD_USERS * n_items * sizeof *scores);
    int32_t users[WORLD_USERS];
    for (int32_t u = 0; u < WORLD_USERS; u++) {
        users[u] = u;
    }
    OK(cfd_score_users(scorer, users, WORLD_USERS, NULL, 0, scores));
    return scores;
}

/* Item 14, or one that lacks tags or photo, once more: it scores as that item does, all others as before, bit by bit. */
START_TEST(an_item_without_parameters_is_what_folding_in_makes_of_it)
{
    static const int32_t tried[ITEMS_TRIED] = {14, 0, WORLD_ITEMS - 1};
    const int32_t item = tried[_i / WAYS];
    cfd_model *model = trained_model(_i % WAYS);
    clear_rows(model, "item.", item);
    known_item known;
    know_item(&known, item);
    cfd_scorer *scorers[2] = {scorer_of(model), loaded_scorer(model)};
    float keys[2][256];
    for (int s = 0; s < 2; s++) {
        cfd_scorer *with;
        OK(cfd_fold_in_items(scorers[s], &known.items, keys[s], &with));
        cfd_scorer_info info = CFD_SCORER_INFO_INIT;
        OK(cfd_scorer_get_info(with, &info));
        ck_assert_int_eq(info.n_items, WORLD_ITEMS + 1);
        float *before = scores_of_all(scorers[s], WORLD_ITEMS);
        cfd_scorer_release(scorers[s]);
        float *after = scores_of_all(with, WORLD_ITEMS + 1);
        float expected[WORLD_USERS];
        float actual[WORLD_USERS];
        for (int32_t u = 0; u < WORLD_USERS; u++) {
            ck_assert_mem_eq(before + u * WORLD_ITEMS, after + u * (WORLD_ITEMS + 1), WORLD_ITEMS * sizeof(float));
            expected[u] = after[u * (WORLD_ITEMS + 1) + item];
            actual[u] = after[u * (WORLD_ITEMS + 1) + WORLD_ITEMS];
        }
        near_rows(expected, actual, WORLD_USERS, 2e-4);
        free(before);
        free(after);
        float alone[256];
        OK(cfd_fold_in_items(with, &known.items, alone, NULL));
        ck_assert_mem_eq(alone, keys[s], width_of(with) * sizeof(float));
        cfd_scorer_release(with);
    }
    ck_assert_mem_eq(keys[0], keys[1], 8 * sizeof(float));
    cfd_model_destroy(model);
}
END_TEST

/* A scorer with new items is one like any other: lists, histories, and folding in know them. */
START_TEST(new_items_take_part_in_everything)
{
    cfd_model *model = trained_model(0);
    cfd_scorer *scorer = scorer_of(model);
    known_item known;
    know_item(&known, 14);
    cfd_scorer *with;
    OK(cfd_fold_in_items(scorer, &known.items, NULL, &with));
    const int32_t new_id = WORLD_ITEMS;
    int32_t list[WORLD_ITEMS + 1];
    int32_t count;
    cfd_filter filter = CFD_FILTER_INIT;
    filter.exclude_seen = 1;
    for (int32_t u = 0; u < WORLD_USERS; u++) {
        bool has = false;
        for (int64_t k = 0; k < known.user_offsets[1]; k++) {
            has = has || known.users[k] == u;
        }
        OK(cfd_recommend(with, &u, 1, WORLD_ITEMS + 1, &filter, list, NULL, &count));
        bool listed = false;
        for (int32_t k = 0; k < count; k++) {
            listed = listed || list[k] == new_id;
        }
        ck_assert_int_eq(listed, !has);
    }
    float queries[2][256];
    OK(cfd_fold_in_user(with, (const int32_t[]){14, 5}, 2, queries[0]));
    OK(cfd_fold_in_user(with, (const int32_t[]){new_id, 5}, 2, queries[1]));
    ck_assert(memcmp(queries[0], queries[1], width_of(with) * sizeof(float)) != 0); /* item 14 has an id of its own */
    FAILS(CFD_ERROR_ARGUMENT, "items", cfd_fold_in_user(scorer, &new_id, 1, queries[0]));
    int32_t similar[3];
    float cosines[3];
    OK(cfd_similar_items(with, &new_id, 1, CFD_PART_FUSED, NULL, 3, NULL, similar, cosines, NULL));
    ck_assert_int_eq(similar[0], 14);
    ck_assert_float_gt(cosines[0], 0.9999f);
    cfd_scorer_release(with);
    cfd_scorer_release(scorer);
    cfd_model_destroy(model);
}
END_TEST

/* Without users there is nothing of the base branch; without features nothing at all. */
START_TEST(cold_items_have_their_content_only)
{
    cfd_model *model = trained_model(0);
    cfd_scorer *scorer = scorer_of(model);
    known_item known;
    know_item(&known, 14);
    known.items.user_offsets = NULL;
    float key[256];
    double content = 0.0;
    OK(cfd_fold_in_items(scorer, &known.items, key, NULL));
    for (size_t c = 0; c < width_of(scorer); c++) {
        ck_assert(c >= 8 || key[c] == 0.0f);
        content += fabs((double)key[c]);
    }
    ck_assert_double_gt(content, 0.1);
    known.items.n_features = 1; /* the photo alone */
    OK(cfd_fold_in_items(scorer, &known.items, key, NULL));
    for (size_t c = 0; c < 16; c++) {
        ck_assert(key[8 + c] != 0.0f);             /* the photo's parts */
        ck_assert_float_eq(key[8 + 16 + c], 0.0f); /* the tags' parts */
    }
    known.items.n_features = 0;
    OK(cfd_fold_in_items(scorer, &known.items, key, NULL));
    for (size_t c = 0; c < width_of(scorer); c++) {
        ck_assert_float_eq(key[c], 0.0f);
    }
    cfd_scorer_release(scorer);
    cfd_model_destroy(model);
}
END_TEST

/* ---- refusals ---- */

START_TEST(what_does_not_fit_is_refused)
{
    cfd_model *model = trained_model(0);
    cfd_scorer *scorer = scorer_of(model);
    known_item known;
    float key[256];
    memset(key, 0, sizeof key);
    cfd_scorer *with = NULL;
    know_item(&known, 14);
    FAILS(CFD_ERROR_ARGUMENT, "both NULL", cfd_fold_in_items(scorer, &known.items, NULL, NULL));
    known.features[0].role = "sound";
    FAILS(CFD_ERROR_ARGUMENT, "no role \"sound\"", cfd_fold_in_items(scorer, &known.items, key, &with));
    known.features[0].role = "tags";
    FAILS(CFD_ERROR_ARGUMENT, "items.features[0]: 6 columns", cfd_fold_in_items(scorer, &known.items, key, &with));
    know_item(&known, 14);
    known.features[1] = known.features[0];
    FAILS(CFD_ERROR_ARGUMENT, "stands there twice", cfd_fold_in_items(scorer, &known.items, key, &with));
    know_item(&known, 14);
    known.photo[3] = INFINITY;
    FAILS(CFD_ERROR_DATA, "item 0, column 3", cfd_fold_in_items(scorer, &known.items, key, &with));
    know_item(&known, 14);
    known.tags[1] = WORLD_TAGS;
    FAILS(CFD_ERROR_ARGUMENT, "column_ids[1] is 12", cfd_fold_in_items(scorer, &known.items, key, &with));
    know_item(&known, 14);
    known.users[2] = -1;
    FAILS(CFD_ERROR_ARGUMENT, "items.users", cfd_fold_in_items(scorer, &known.items, key, &with));
    know_item(&known, 14);
    known.features[0].row_offsets = known.tag_offsets;
    FAILS(CFD_ERROR_ARGUMENT, "not both", cfd_fold_in_items(scorer, &known.items, key, &with));
    know_item(&known, 14);
    known.items.n_items = 0;
    FAILS(CFD_ERROR_ARGUMENT, "n_items is 0", cfd_fold_in_items(scorer, &known.items, key, &with));
    ck_assert_ptr_null(with);
    for (size_t c = 0; c < 256; c++) {
        ck_assert_float_eq(key[c], 0.0f);
    }
    cfd_scorer_release(scorer);
    cfd_model_destroy(model);
}
END_TEST

START_TEST(a_scorer_without_nodes_says_so)
{
    cfd_config *config = WORLD_CONFIG("keep.nodes", "no");
    cfd_model *model = world_model(context, config, data);
    cfd_scorer *scorers[3] = {scorer_of(model), loaded_scorer(model), NULL};
    OK(cfd_scorer_create_popularity(context, data, 0, &scorers[2]));
    for (int s = 0; s < 3; s++) {
        float query[256];
        int32_t item = 1;
        cfd_filter filter = CFD_FILTER_INIT;
        filter.exclude_seen = 1;
        FAILS(CFD_ERROR_DATA, "keep.nodes", cfd_fold_in_user(scorers[s], &item, 1, query));
        FAILS(CFD_ERROR_DATA, "keep.history", cfd_recommend(scorers[s], &item, 1, 1, &filter, &item, NULL, NULL));
        cfd_scorer_release(scorers[s]);
    }
    cfd_model_destroy(model);
    cfd_config_destroy(config);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("folding in");
    TCase *tc = tcase_create("users and items");
    tcase_add_checked_fixture(tc, open_world, close_world);
    tcase_add_loop_test(tc, a_user_without_parameters_is_what_folding_in_makes_of_it, 0, WAYS);
    tcase_add_loop_test(tc, every_device_leaves_the_nodes_that_folding_in_needs, 0, 2);
    tcase_add_test(tc, order_and_repeats_of_the_items_do_not_matter);
    tcase_add_test(tc, query_rows_are_served_as_users_are);
    tcase_add_loop_test(tc, an_item_without_parameters_is_what_folding_in_makes_of_it, 0, WAYS * ITEMS_TRIED);
    tcase_add_test(tc, new_items_take_part_in_everything);
    tcase_add_test(tc, cold_items_have_their_content_only);
    tcase_add_test(tc, what_does_not_fit_is_refused);
    tcase_add_test(tc, a_scorer_without_nodes_says_so);
    suite_add_tcase(s, tc);
    return s;
}

TEST_MAIN(suite)
