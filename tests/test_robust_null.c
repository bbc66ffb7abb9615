/* SPDX-License-Identifier: Apache-2.0 */
/* NULL for every pointer of every public function: named where it is not allowed, the default or nothing where it is.
 */
#include "test_api_world.h"

static cfd_context *context;
static cfd_dataset *data;
static cfd_config *config;
static cfd_model *model;
static cfd_scorer *scorer;

static void set_up(void)
{
    context = world_context(1, NULL);
    data = world_data(context);
    config = world_config(NULL);
    model = world_model(context, config, data);
    OK(cfd_scorer_create(model, &scorer));
}

static void tear_down(void)
{
    cfd_scorer_release(scorer);
    cfd_model_destroy(model);
    cfd_config_destroy(config);
    cfd_dataset_destroy(data);
    cfd_context_destroy(context);
}

/* The message begins with the parameter as the header names it. */
#define REFUSES(name, expression)                                                                                   \
    do {                                                                                                            \
        FAILS(CFD_ERROR_ARGUMENT, name " is NULL", expression);                                                     \
        ck_assert_msg(strncmp(cfd_last_error(), name, strlen(name)) == 0, "%s: %s", #expression, cfd_last_error()); \
    } while (0)

START_TEST(context_and_config_name_the_pointer_that_is_null)
{
    cfd_context_info info = CFD_CONTEXT_INFO_INIT;
    cfd_config_key key = CFD_CONFIG_KEY_INIT;
    cfd_config *made;
    char value[64];
    REFUSES("context", cfd_context_create(NULL, NULL));
    REFUSES("context", cfd_context_get_info(NULL, &info));
    REFUSES("info", cfd_context_get_info(context, NULL));
    cfd_profile_entry entry = CFD_PROFILE_ENTRY_INIT;
    REFUSES("context", cfd_context_get_profile(NULL, 0, &entry));
    REFUSES("entry", cfd_context_get_profile(context, 0, NULL));
    ck_assert_uint_eq(cfd_context_profile_count(NULL), 0);
    cfd_context_reset_profile(NULL);
    REFUSES("config", cfd_config_create(NULL));
    REFUSES("config", cfd_config_copy(NULL, &made));
    REFUSES("copy", cfd_config_copy(config, NULL));
    REFUSES("config", cfd_config_load_preset(NULL, "art"));
    REFUSES("name", cfd_config_load_preset(config, NULL));
    REFUSES("config", cfd_config_load_ablation(NULL, "no common"));
    REFUSES("name", cfd_config_load_ablation(config, NULL));
    REFUSES("config", cfd_config_set(NULL, "layers", "1"));
    REFUSES("key", cfd_config_set(config, NULL, "1"));
    REFUSES("value", cfd_config_set(config, "layers", NULL));
    REFUSES("config", cfd_config_get(NULL, "layers", value, sizeof value, NULL));
    REFUSES("key", cfd_config_get(config, NULL, value, sizeof value, NULL));
    REFUSES("value", cfd_config_get(config, "layers", NULL, 1, NULL));
    REFUSES("key", cfd_config_get_key(0, NULL));
    OK(cfd_config_get(config, "layers", NULL, 0, NULL));
    OK(cfd_config_get_key(0, &key));
    ck_assert_uint_eq(cfd_config_role_count(NULL), 0);
    ck_assert_ptr_null(cfd_config_role(NULL, 0));
}
END_TEST

START_TEST(data_sets_name_the_pointer_that_is_null)
{
    cfd_dataset *made = NULL;
    cfd_dataset_info info = CFD_DATASET_INFO_INIT;
    cfd_modality_info modality = CFD_MODALITY_INFO_INIT;
    const int32_t ids[] = {0};
    const int32_t *items;
    size_t n;
    const float features[WORLD_ITEMS] = {0};
    const int64_t offsets[WORLD_ITEMS + 1] = {0};
    int64_t one_tag[WORLD_ITEMS + 1];
    for (int i = 0; i <= WORLD_ITEMS; i++) {
        one_tag[i] = i > 0;
    }
    REFUSES("context", cfd_dataset_open(NULL, ".", &made));
    REFUSES("directory", cfd_dataset_open(context, NULL, &made));
    REFUSES("dataset", cfd_dataset_open(context, ".", NULL));
    REFUSES("context", cfd_dataset_create(NULL, 1, 1, &made));
    REFUSES("dataset", cfd_dataset_create(context, 1, 1, NULL));
    ck_assert_ptr_null(made);
    OK(cfd_dataset_create(context, 1, WORLD_ITEMS, &made));
    REFUSES("dataset", cfd_dataset_add_interactions(NULL, CFD_SPLIT_TRAIN, ids, ids, 1));
    REFUSES("users", cfd_dataset_add_interactions(made, CFD_SPLIT_TRAIN, NULL, ids, 1));
    REFUSES("items", cfd_dataset_add_interactions(made, CFD_SPLIT_TRAIN, ids, NULL, 1));
    OK(cfd_dataset_add_interactions(made, CFD_SPLIT_TRAIN, NULL, NULL, 0));
    const char *const called[] = {"a", "b", "c"};
    REFUSES("dataset", cfd_dataset_set_user_names(NULL, called));
    REFUSES("names", cfd_dataset_set_user_names(made, NULL));
    REFUSES("dataset", cfd_dataset_set_item_names(NULL, called));
    REFUSES("names", cfd_dataset_set_item_names(made, NULL));
    REFUSES("dataset", cfd_dataset_add_dense_modality(NULL, "a", features, CFD_FLOAT32, 1, 1));
    REFUSES("name", cfd_dataset_add_dense_modality(made, NULL, features, CFD_FLOAT32, 1, 1));
    REFUSES("features", cfd_dataset_add_dense_modality(made, "a", NULL, CFD_FLOAT32, 1, 1));
    REFUSES("dataset", cfd_dataset_add_sparse_modality(NULL, "a", 1, offsets, ids, NULL));
    REFUSES("name", cfd_dataset_add_sparse_modality(made, NULL, 1, offsets, ids, NULL));
    REFUSES("row_offsets", cfd_dataset_add_sparse_modality(made, "a", 1, NULL, ids, NULL));
    REFUSES("column_ids", cfd_dataset_add_sparse_modality(made, "a", 1, one_tag, NULL, NULL));
    OK(cfd_dataset_add_sparse_modality(made, "a", 1, offsets, NULL, NULL)); /* no nonzeros, no ids */
    OK(cfd_dataset_add_sparse_modality(made, "b", 1, one_tag, ids, NULL));
    cfd_dataset_destroy(made);
    REFUSES("dataset", cfd_dataset_get_info(NULL, &info));
    REFUSES("info", cfd_dataset_get_info(data, NULL));
    REFUSES("dataset", cfd_dataset_get_modality(NULL, 0, &modality));
    REFUSES("info", cfd_dataset_get_modality(data, 0, NULL));
    REFUSES("dataset", cfd_dataset_user_items(NULL, CFD_SPLIT_TRAIN, 0, &items, &n));
    REFUSES("items", cfd_dataset_user_items(data, CFD_SPLIT_TRAIN, 0, NULL, &n));
    REFUSES("n", cfd_dataset_user_items(data, CFD_SPLIT_TRAIN, 0, &items, NULL));
    ck_assert_ptr_null(cfd_dataset_user_name(NULL, 0));
    ck_assert_ptr_null(cfd_dataset_item_name(NULL, 0));
    ck_assert_int_eq(cfd_dataset_find_user(NULL, "a"), -1);
    ck_assert_int_eq(cfd_dataset_find_user(data, NULL), -1);
    ck_assert_int_eq(cfd_dataset_find_item(NULL, "a"), -1);
    ck_assert_int_eq(cfd_dataset_find_item(data, NULL), -1);
}
END_TEST

START_TEST(models_name_the_pointer_that_is_null)
{
    cfd_model *made = NULL;
    cfd_model_info info = CFD_MODEL_INFO_INIT;
    cfd_tensor_info tensor = CFD_TENSOR_INFO_INIT;
    float values[WORLD_USERS * 8];
    const size_t n = sizeof values / sizeof values[0];
    REFUSES("context", cfd_model_create(NULL, config, data, &made));
    REFUSES("dataset", cfd_model_create(context, config, NULL, &made));
    REFUSES("model", cfd_model_create(context, config, data, NULL));
    ck_assert_ptr_null(made);
    REFUSES("model", cfd_model_get_info(NULL, &info));
    REFUSES("info", cfd_model_get_info(model, NULL));
    ck_assert_ptr_null(cfd_model_role(NULL, 0));
    REFUSES("model", cfd_model_get_tensor_info(NULL, 0, &tensor));
    REFUSES("info", cfd_model_get_tensor_info(model, 0, NULL));
    REFUSES("model", cfd_model_get_parameter(NULL, "user.id", values, n));
    REFUSES("name", cfd_model_get_parameter(model, NULL, values, n));
    REFUSES("values", cfd_model_get_parameter(model, "user.id", NULL, n));
    OK(cfd_model_get_parameter(model, "user.id", values, n));
    REFUSES("model", cfd_model_set_parameter(NULL, "user.id", values, n));
    REFUSES("name", cfd_model_set_parameter(model, NULL, values, n));
    REFUSES("values", cfd_model_set_parameter(model, "user.id", NULL, n));
    OK(cfd_compute_gradients(model, NULL, NULL));
    REFUSES("model", cfd_model_get_gradient(NULL, "user.id", values, n));
    REFUSES("name", cfd_model_get_gradient(model, NULL, values, n));
    REFUSES("values", cfd_model_get_gradient(model, "user.id", NULL, n));
    OK(cfd_model_get_gradient(model, "user.id", values, n));
    REFUSES("model", cfd_model_get_embedding(NULL, "base", values, n));
    REFUSES("name", cfd_model_get_embedding(model, NULL, values, n));
    REFUSES("values", cfd_model_get_embedding(model, "base", NULL, n));
    REFUSES("model", cfd_model_save(NULL, "m"));
    REFUSES("path", cfd_model_save(model, NULL));
}
END_TEST

START_TEST(training_names_the_pointer_that_is_null)
{
    const int32_t ids[] = {0};
    cfd_batch batch = CFD_BATCH_INIT;
    cfd_losses losses = CFD_LOSSES_INIT;
    cfd_train_summary summary = CFD_TRAIN_SUMMARY_INIT;
    REFUSES("model", cfd_train_step(NULL, NULL, &losses));
    int ready;
    REFUSES("model", cfd_model_synchronise(NULL));
    REFUSES("model", cfd_model_request_losses(NULL));
    REFUSES("model", cfd_model_receive_losses(NULL, 1, &losses, &ready));
    REFUSES("losses", cfd_model_receive_losses(model, 1, NULL, &ready));
    REFUSES("ready", cfd_model_receive_losses(model, 1, &losses, NULL));
    REFUSES("model", cfd_compute_gradients(NULL, NULL, &losses));
    REFUSES("model", cfd_train(NULL, NULL, &summary));
    batch.size = 1;
    batch.positives = batch.negatives = ids;
    REFUSES("batch->users", cfd_train_step(model, &batch, NULL));
    batch.users = ids;
    batch.positives = NULL;
    REFUSES("batch->positives", cfd_train_step(model, &batch, NULL));
    batch.positives = ids;
    batch.negatives = NULL;
    REFUSES("batch->negatives", cfd_compute_gradients(model, &batch, NULL));
    OK(cfd_train_step(model, NULL, NULL));
}
END_TEST

START_TEST(scorers_and_evaluation_name_the_pointer_that_is_null)
{
    cfd_scorer *made = NULL;
    cfd_scorer_info info = CFD_SCORER_INFO_INIT;
    cfd_config *copy = NULL;
    cfd_metrics metrics[3];
    const int32_t user = 0;
    int32_t best[2];
    float scores[WORLD_ITEMS];
    REFUSES("model", cfd_scorer_create(NULL, &made));
    REFUSES("scorer", cfd_scorer_create(model, NULL));
    REFUSES("model", cfd_scorer_create_in(context, NULL, &made));
    REFUSES("scorer", cfd_scorer_create_in(context, model, NULL));
    REFUSES("context", cfd_scorer_load(NULL, "m", &made));
    REFUSES("path", cfd_scorer_load(context, NULL, &made));
    REFUSES("scorer", cfd_scorer_load(context, "m", NULL));
    REFUSES("context", cfd_scorer_create_popularity(NULL, data, 0, &made));
    REFUSES("dataset", cfd_scorer_create_popularity(context, NULL, 0, &made));
    REFUSES("scorer", cfd_scorer_create_popularity(context, data, 0, NULL));
    REFUSES("scorer", cfd_scorer_get_info(NULL, &info));
    REFUSES("info", cfd_scorer_get_info(scorer, NULL));
    ck_assert_ptr_null(cfd_scorer_role(NULL, 0));
    REFUSES("scorer", cfd_scorer_get_config(NULL, &copy));
    REFUSES("config", cfd_scorer_get_config(scorer, NULL));
    REFUSES("scorer", cfd_score_users(NULL, &user, 1, NULL, 0, scores));
    REFUSES("users", cfd_score_users(scorer, NULL, 1, NULL, 0, scores));
    REFUSES("scores", cfd_score_users(scorer, &user, 1, NULL, 0, NULL));
    OK(cfd_score_users(scorer, &user, 1, NULL, 0, scores));
    REFUSES("scorer", cfd_recommend(NULL, &user, 1, 2, NULL, best, NULL, NULL));
    REFUSES("users", cfd_recommend(scorer, NULL, 1, 2, NULL, best, NULL, NULL));
    REFUSES("items", cfd_recommend(scorer, &user, 1, 2, NULL, NULL, NULL, NULL));
    OK(cfd_recommend(scorer, &user, 1, 2, NULL, best, NULL, NULL));
    REFUSES("model", cfd_evaluate(NULL, data, NULL, metrics, NULL));
    REFUSES("dataset", cfd_evaluate(model, NULL, NULL, metrics, NULL));
    REFUSES("metrics", cfd_evaluate(model, data, NULL, NULL, NULL));
    OK(cfd_evaluate(model, data, NULL, metrics, NULL));
    REFUSES("scorer", cfd_evaluate_scorer(NULL, data, NULL, metrics, NULL));
    REFUSES("dataset", cfd_evaluate_scorer(scorer, NULL, NULL, metrics, NULL));
    REFUSES("metrics", cfd_evaluate_scorer(scorer, data, NULL, NULL, NULL));
    ck_assert_ptr_null(made);
    ck_assert_ptr_null(copy);
}
END_TEST

START_TEST(serving_names_the_pointer_that_is_null)
{
    const int32_t ids[] = {1, 2};
    float numbers[128];
    int32_t best[2];
    cfd_new_items items = CFD_NEW_ITEMS_INIT;
    cfd_item_features features = CFD_ITEM_FEATURES_INIT;
    cfd_scorer *made = NULL;
    cfd_model *other = NULL;
    ck_assert_ptr_null(cfd_scorer_retain(NULL));
    cfd_scorer_release(NULL);
    REFUSES("model", cfd_model_extend(NULL, data, &other));
    REFUSES("dataset", cfd_model_extend(model, NULL, &other));
    REFUSES("extended", cfd_model_extend(model, data, NULL));
    REFUSES("scorer", cfd_score_pairs(NULL, ids, ids, 2, numbers));
    REFUSES("users", cfd_score_pairs(scorer, NULL, ids, 2, numbers));
    REFUSES("items", cfd_score_pairs(scorer, ids, NULL, 2, numbers));
    REFUSES("scores", cfd_score_pairs(scorer, ids, ids, 2, NULL));
    OK(cfd_score_pairs(scorer, NULL, NULL, 0, NULL));
    REFUSES("scorer", cfd_fold_in_user(NULL, ids, 2, numbers));
    REFUSES("items", cfd_fold_in_user(scorer, NULL, 2, numbers));
    REFUSES("query", cfd_fold_in_user(scorer, ids, 2, NULL));
    OK(cfd_fold_in_user(scorer, NULL, 0, numbers));
    REFUSES("scorer", cfd_score_queries(NULL, numbers, 1, NULL, 0, numbers));
    REFUSES("queries", cfd_score_queries(scorer, NULL, 1, NULL, 0, numbers));
    REFUSES("scores", cfd_score_queries(scorer, numbers, 1, NULL, 0, NULL));
    REFUSES("scorer", cfd_recommend_queries(NULL, numbers, 1, 2, NULL, best, NULL, NULL));
    REFUSES("queries", cfd_recommend_queries(scorer, NULL, 1, 2, NULL, best, NULL, NULL));
    REFUSES("items", cfd_recommend_queries(scorer, numbers, 1, 2, NULL, NULL, NULL, NULL));
    REFUSES("scorer", cfd_fold_in_items(NULL, &items, numbers, &made));
    REFUSES("items", cfd_fold_in_items(scorer, NULL, numbers, &made));
    REFUSES("scorer", cfd_similar_items(NULL, ids, 1, CFD_PART_FUSED, NULL, 2, NULL, best, NULL, NULL));
    REFUSES("items", cfd_similar_items(scorer, NULL, 1, CFD_PART_FUSED, NULL, 2, NULL, best, NULL, NULL));
    REFUSES("items_out", cfd_similar_items(scorer, ids, 1, CFD_PART_FUSED, NULL, 2, NULL, NULL, NULL, NULL));
    OK(cfd_similar_items(scorer, ids, 1, CFD_PART_FUSED, NULL, 2, NULL, best, NULL, NULL));
    REFUSES("scorer", cfd_search_items(NULL, &features, 1, "tags", 2, NULL, best, NULL, NULL));
    REFUSES("features", cfd_search_items(scorer, NULL, 1, "tags", 2, NULL, best, NULL, NULL));
    REFUSES("other_role", cfd_search_items(scorer, &features, 1, NULL, 2, NULL, best, NULL, NULL));
    REFUSES("items", cfd_search_items(scorer, &features, 1, "tags", 2, NULL, NULL, NULL, NULL));
    REFUSES("scorer", cfd_explain(NULL, 0, 0, NULL, NULL, 0, 0, NULL, NULL));
    REFUSES("contributors", cfd_explain(scorer, 0, 0, NULL, ids, 2, 1, NULL, numbers));
    REFUSES("contributions", cfd_explain(scorer, 0, 0, NULL, ids, 2, 1, best, NULL));
    OK(cfd_explain(scorer, 0, 0, NULL, NULL, 0, 0, NULL, NULL));
    ck_assert_ptr_null(made);
    ck_assert_ptr_null(other);
}
END_TEST

/* ---- structs that were not set up ---- */

START_TEST(structs_without_a_size_are_refused_everywhere)
{
    const int32_t ids[] = {0};
    const int32_t user = 0;
    int32_t best[2];
    cfd_metrics metrics[3];
    cfd_batch batch = {0, ids, ids, ids, 1};
    cfd_filter filter = CFD_FILTER_INIT;
    cfd_train_options training = {0, NULL, NULL, NULL, 0};
    cfd_evaluate_options evaluation = CFD_EVALUATE_OPTIONS_INIT;
    filter.struct_size = evaluation.struct_size = 0;
    FAILS(CFD_ERROR_ARGUMENT, "batch: struct_size is 0", cfd_train_step(model, &batch, NULL));
    FAILS(CFD_ERROR_ARGUMENT, "options: struct_size is 0", cfd_train(model, &training, NULL));
    FAILS(CFD_ERROR_ARGUMENT, "options: struct_size is 0", cfd_evaluate(model, data, &evaluation, metrics, NULL));
    FAILS(CFD_ERROR_ARGUMENT, "filter: struct_size is 0", cfd_recommend(scorer, &user, 1, 2, &filter, best, NULL, NULL));
    cfd_dataset_info counts = CFD_DATASET_INFO_INIT;
    cfd_modality_info modality = CFD_MODALITY_INFO_INIT;
    cfd_model_info about = CFD_MODEL_INFO_INIT;
    cfd_tensor_info tensor = CFD_TENSOR_INFO_INIT;
    cfd_scorer_info served = CFD_SCORER_INFO_INIT;
    cfd_config_key key = CFD_CONFIG_KEY_INIT;
    counts.struct_size = modality.struct_size = about.struct_size = tensor.struct_size = served.struct_size =
        key.struct_size = 0;
    FAILS(CFD_ERROR_ARGUMENT, "struct_size is 0", cfd_dataset_get_info(data, &counts));
    FAILS(CFD_ERROR_ARGUMENT, "struct_size is 0", cfd_dataset_get_modality(data, 0, &modality));
    FAILS(CFD_ERROR_ARGUMENT, "struct_size is 0", cfd_model_get_info(model, &about));
    FAILS(CFD_ERROR_ARGUMENT, "struct_size is 0", cfd_model_get_tensor_info(model, 0, &tensor));
    FAILS(CFD_ERROR_ARGUMENT, "struct_size is 0", cfd_scorer_get_info(scorer, &served));
    FAILS(CFD_ERROR_ARGUMENT, "struct_size is 0", cfd_config_get_key(0, &key));
}
END_TEST

/* A result that cannot be handed over is refused before anything is done for it. */
START_TEST(a_result_struct_without_a_size_is_refused_before_the_work)
{
    cfd_losses losses = CFD_LOSSES_INIT;
    losses.struct_size = 0;
    cfd_train_summary summary = CFD_TRAIN_SUMMARY_INIT;
    summary.struct_size = 0;
    FAILS(CFD_ERROR_ARGUMENT, "losses: struct_size is 0", cfd_train_step(model, NULL, &losses));
    OK(cfd_config_set(config, "epochs", "1"));
    cfd_model *other = world_model(context, config, data);
    FAILS(CFD_ERROR_ARGUMENT, "summary: struct_size is 0", cfd_train(other, NULL, &summary));
    cfd_model_info info = CFD_MODEL_INFO_INIT;
    OK(cfd_model_get_info(model, &info));
    ck_assert_int_eq(info.steps_done, 0);
    OK(cfd_model_get_info(other, &info));
    ck_assert_int_eq(info.steps_done, 0);
    cfd_model_destroy(other);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("robust: NULL");
    TCase *t = tcase_create("NULL");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, context_and_config_name_the_pointer_that_is_null);
    tcase_add_test(t, data_sets_name_the_pointer_that_is_null);
    tcase_add_test(t, models_name_the_pointer_that_is_null);
    tcase_add_test(t, training_names_the_pointer_that_is_null);
    tcase_add_test(t, scorers_and_evaluation_name_the_pointer_that_is_null);
    tcase_add_test(t, serving_names_the_pointer_that_is_null);
    tcase_add_test(t, structs_without_a_size_are_refused_everywhere);
    tcase_add_test(t, a_result_struct_without_a_size_is_refused_before_the_work);
    suite_add_tcase(s, t);
    return s;
}

TEST_MAIN(suite)
