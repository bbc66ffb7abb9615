/* SPDX-License-Identifier: Apache-2.0 */
/* Scorers and their evaluation through the public header: arguments, lifetimes, popularity, files that cannot be
 * trusted. Model files are made here, by the writer of safetensors alone. */
#define _POSIX_C_SOURCE 200809L /* mkstemp, truncate */
#include "test_eval_world.h"

#include "io/safetensors.h"

#include <unistd.h>

/* ---- a model file, whole or tampered with ---- */

enum { USERS = 3, ITEMS = 4, WIDTH = 2 };

/* Key 3 equals key 1, so user 0 sees scores 1, 2, 3, 2. */
static const float queries[USERS][WIDTH] = {{1, 0}, {0, 1}, {-1, 1}};
static const float keys[ITEMS][WIDTH] = {{1, 5}, {2, 0}, {3, -1}, {2, 0}};

typedef struct model_parts {
    safetensors_entry metadata[16];
    size_t n_metadata;
    safetensor tensors[6];
    size_t n_tensors;
} model_parts;

static const float parameters[USERS * ITEMS];

/* Common heads of width 1 of two roles, side by side, and nothing else. */
static model_parts whole_model(void)
{
    model_parts parts = {
        .metadata = {{"format", "cfdtbd-model"},
                     {"format_version", "1"},
                     {"steps_done", "1234567890123"},
                     {"n_users", "3"},
                     {"n_items", "4"},
                     {"roles", "visual,textual"},
                     {"config.layers", "4"},
                     {"config.lambda.visual", "0.75"},
                     {"something.else", "is left alone"},
                     {"config.embedding_dim", "1"},
                     {"config.branch.base", "no"},
                     {"config.branch.differential", "no"},
                     {"config.branch.fused", "no"}},
        .n_metadata = 13,
        .tensors = {{"serve.query", "F32", {USERS, WIDTH}, 2, queries, sizeof queries},
                    {"serve.key", "F32", {ITEMS, WIDTH}, 2, keys, sizeof keys},
                    {"user.common.visual", "F32", {USERS, 1}, 2, parameters, USERS * sizeof(float)},
                    {"proj.common.visual", "F32", {5, 1}, 2, parameters, 5 * sizeof(float)},
                    {"features.visual.idf", "F32", {5}, 1, parameters, 5 * sizeof(float)}},
        .n_tensors = 5,
    };
    return parts;
}

static char path[] = "scorer-test-XXXXXX";

static void make_path(void)
{
    int file = mkstemp(path);
    ck_assert_int_ge(file, 0);
    close(file);
}

static void remove_path(void)
{
    unlink(path);
}

static void write_parts(const model_parts *parts)
{
    OK(safetensors_write(&memory_default, path, parts->tensors, parts->n_tensors, parts->metadata, parts->n_metadata));
}

static cfd_context *open_context(const char *device)
{
    cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
    options.device = device;
    options.threads = 2;
    cfd_context *context;
    OK(cfd_context_create(&options, &context));
    return context;
}

static cfd_scorer *load_whole(void)
{
    model_parts parts = whole_model();
    write_parts(&parts);
    cfd_context *context = open_context("cpu");
    cfd_scorer *scorer_handle;
    OK(cfd_scorer_load(context, path, &scorer_handle));
    cfd_context_destroy(context); /* the scorer keeps it */
    return scorer_handle;
}

/* ---- loading ---- */

START_TEST(a_loaded_scorer_tells_what_the_file_says)
{
    cfd_scorer *s = load_whole();
    cfd_scorer_info info = CFD_SCORER_INFO_INIT;
    OK(cfd_scorer_get_info(s, &info));
    ck_assert_int_eq(info.n_users, USERS);
    ck_assert_int_eq(info.n_items, ITEMS);
    ck_assert_int_eq(info.width, WIDTH);
    ck_assert_int_eq(info.n_modalities, 2);
    ck_assert_int_eq(info.steps_done, 1234567890123);
    ck_assert_str_eq(cfd_scorer_role(s, 0), "visual");
    ck_assert_str_eq(cfd_scorer_role(s, 1), "textual");
    ck_assert_ptr_null(cfd_scorer_role(s, 2));
    ck_assert_ptr_null(cfd_scorer_role(NULL, 0));
    cfd_config *config;
    OK(cfd_scorer_get_config(s, &config));
    char value[32];
    OK(cfd_config_get(config, "layers", value, sizeof value, NULL));
    ck_assert_str_eq(value, "4");
    OK(cfd_config_get(config, "lambda.visual", value, sizeof value, NULL));
    ck_assert_str_eq(value, "0.75");
    cfd_config_destroy(config);
    unlink(path); /* the scorer needs the file no more */
    float scores[USERS * ITEMS];
    OK(cfd_score_users(s, (const int32_t[]){0, 1, 2}, USERS, NULL, 0, scores));
    const float expected[USERS * ITEMS] = {1, 2, 3, 2, 5, 0, -1, 0, 4, -2, -4, -2};
    ck_assert_mem_eq(scores, expected, sizeof scores);
    cfd_scorer_release(s);
    cfd_scorer_release(NULL);
}
END_TEST

START_TEST(a_model_without_modalities_has_no_roles)
{
    model_parts parts = whole_model();
    parts.metadata[5].value = "";
    parts.metadata[9].value = "2";    /* embedding_dim */
    parts.metadata[10].value = "yes"; /* branch.base */
    parts.n_tensors = 2;
    write_parts(&parts);
    cfd_context *context = open_context("cpu");
    cfd_scorer *s;
    OK(cfd_scorer_load(context, path, &s));
    ck_assert_ptr_null(cfd_scorer_role(s, 0));
    cfd_scorer_release(s);
    cfd_context_destroy(context);
}
END_TEST

/* What a file is refused for: metadata entry `entry` (-1: none) gets this value (NULL: is left out). */
typedef struct tampered {
    int entry;
    const char *value, *message;
} tampered;

static const tampered metadata_cases[] = {
    {0, NULL, "not a model file: metadata \"format\" is missing"},
    {0, "other", "metadata \"format\" is \"other\", not \"cfdtbd-model\""},
    {0, "a\nb", "is \"a\\x0ab\""},
    {1, "2", "metadata \"format_version\" is \"2\", not \"1\""},
    {2, NULL, "\"steps_done\" is missing"},
    {2, "-1", "\"steps_done\" is \"-1\", not an integer"},
    {2, "1e3", "\"steps_done\" is \"1e3\", not an integer"},
    {3, "0", "\"n_users\" is \"0\", not an integer from 1 to 2147483646"},
    {3, "2147483647", "\"n_users\" is \"2147483647\""},
    {3, "4", "tensor serve.query is 3 x 2, not 4 x 2: n_users x width of the configuration"},
    {4, "five", "\"n_items\" is \"five\""},
    {4, "3", "tensor serve.key is 4 x 2, not 3 x 2: n_items x width of the configuration"},
    {5, NULL, "\"roles\" is missing"},
    {5, "visual,", "\"\" is not a name"},
    {5, "visual,,textual", "\"\" is not a name"},
    {5, "vis ual", "\"vis ual\" is not a name"},
    {5, "visual,visual", "\"visual\" stands there twice"},
    {5, "0123456789012345678901234567890123456789012345678901234567890123", "is not a name"},
    {5, "a,b,c,d,e,f,g,h,i", "more than 8 names"},
    {5, "", "\"config.branch.base\" is off and no role takes part"},
    {5, "visual", "tensor serve.query is 3 x 2, not 3 x 1"},
    {5, "a,b,c", "tensor serve.query is 3 x 2, not 3 x 3"},
    {9, "2", "tensor serve.query is 3 x 2, not 3 x 4"},
    {9, NULL, "tensor serve.query is 3 x 2, not 3 x 128"}, /* the default: 64 */
    {10, "yes", "tensor serve.query is 3 x 2, not 3 x 3"},
    {11, "yes", "tensor serve.query is 3 x 2, not 3 x 4"},
    {12, "yes", "tensor serve.query is 3 x 2, not 3 x 4"},
    {6, "none", "metadata \"config.layers\": "},
    {7, "a\tb", "metadata \"config.lambda.visual\" is not printable ASCII"},
};

static void load_fails(const char *message)
{
    cfd_context *context = open_context("cpu");
    cfd_scorer *s = (cfd_scorer *)&s;
    FAILS(CFD_ERROR_FORMAT, message, cfd_scorer_load(context, path, &s));
    ck_assert_ptr_nonnull(strstr(cfd_last_error(), path));
    ck_assert_ptr_eq(s, &s);
    cfd_context_destroy(context);
}

START_TEST(tampered_metadata_is_refused)
{
    const tampered *one = &metadata_cases[_i];
    model_parts parts = whole_model();
    parts.metadata[one->entry].value = one->value;
    if (!one->value) {
        parts.metadata[one->entry] = parts.metadata[--parts.n_metadata];
    }
    write_parts(&parts);
    load_fails(one->message);
}
END_TEST

START_TEST(an_unknown_setting_is_refused)
{
    model_parts parts = whole_model();
    parts.metadata[6].key = "config.layerz";
    write_parts(&parts);
    load_fails("metadata \"config.layerz\": there is no key");
}
END_TEST

START_TEST(tampered_tensors_are_refused)
{
    const int32_t integers[ITEMS * WIDTH] = {0};
    float bad[ITEMS][WIDTH];

    model_parts parts = whole_model();
    parts.tensors[1].name = "key";
    write_parts(&parts);
    load_fails("tensor serve.key is missing");

    parts = whole_model();
    parts.tensors[0].name = "query";
    write_parts(&parts);
    load_fails("tensor serve.query is missing");

    parts = whole_model();
    parts.tensors[1].dtype = "I32";
    parts.tensors[1].data = integers;
    write_parts(&parts);
    load_fails("tensor serve.key is I32 with 2 dimensions, not F32 with 2");

    parts = whole_model();
    parts.tensors[1].rank = 1;
    parts.tensors[1].shape[0] = ITEMS * WIDTH;
    write_parts(&parts);
    load_fails("tensor serve.key is F32 with 1 dimensions");

    parts = whole_model();
    parts.metadata[4].value = "8";
    parts.tensors[1].shape[0] = 8;
    parts.tensors[1].shape[1] = 1;
    write_parts(&parts);
    load_fails("tensor serve.key is 8 x 1, not 8 x 2: n_items x width of the configuration");

    parts = whole_model();
    parts.tensors[0].shape[1] = 0;
    parts.tensors[0].bytes = 0;
    write_parts(&parts);
    load_fails("tensor serve.query is 3 x 0, not 3 x 2");

    const float values[] = {NAN, INFINITY, -INFINITY};
    for (int i = 0; i < 3; i++) {
        parts = whole_model();
        memcpy(bad, keys, sizeof bad);
        bad[2][1] = values[i];
        parts.tensors[1].data = bad;
        write_parts(&parts);
        load_fails(i == 0 ? "tensor serve.key is NaN at row 2, column 1"
                          : "tensor serve.key is infinite at row 2, column 1");
    }
}
END_TEST

/* Parameters that do not fit the metadata: { name, shape, message }. */
static const struct parameter_case {
    const char *name;
    int64_t rows, columns;
    const char *message;
} parameter_cases[] = {
    {"user.id", 2, 1, "tensor user.id is 2 x 1, not 3 x 1: n_users x config.embedding_dim"},
    {"user.id", 3, 2, "tensor user.id is 3 x 2, not 3 x 1"},
    {"user.common.textual", 4, 1, "tensor user.common.textual is 4 x 1, not 3 x 1"},
    {"user.differential.visual", 3, 3, "tensor user.differential.visual is 3 x 3, not 3 x 1"},
    {"item.id", 3, 1, "tensor item.id is 3 x 1, not 4 x 1: n_items x config.embedding_dim"},
    {"proj.common.textual", 2, 2, "tensor proj.common.textual is 2 x 2, not 2 x 1: columns of the features x config.emb"},
    {"proj.differential.visual", 0, 1, "tensor proj.differential.visual is 0 x 1, not 1 x 1"},
};

START_TEST(parameters_of_a_wrong_shape_are_refused)
{
    const struct parameter_case *one = &parameter_cases[_i];
    model_parts parts = whole_model();
    safetensor *tensor = &parts.tensors[parts.n_tensors++];
    *tensor = (safetensor){one->name, "F32",      {one->rows, one->columns},
                           2,         parameters, (size_t)(one->rows * one->columns) * sizeof(float)};
    write_parts(&parts);
    load_fails(one->message);
    *tensor = (safetensor){one->name, "F32", {3}, 1, parameters, 3 * sizeof(float)};
    write_parts(&parts);
    load_fails("is F32 with 1 dimensions, not F32 with 2");
}
END_TEST

START_TEST(files_that_are_no_safetensors_are_refused)
{
    FILE *file = fopen(path, "wb");
    fputs("this is not a model at all", file);
    fclose(file);
    load_fails("");

    model_parts parts = whole_model();
    write_parts(&parts);
    ck_assert_int_eq(truncate(path, 300), 0);
    load_fails("truncated");

    cfd_context *context = open_context("cpu");
    cfd_scorer *s;
    FAILS(CFD_ERROR_FILE, "no-such-file", cfd_scorer_load(context, "no-such-file", &s));
    cfd_context_destroy(context);
}
END_TEST

/* ---- arguments ---- */

START_TEST(arguments_are_checked_and_named)
{
    cfd_scorer *s = load_whole();
    const int32_t users[] = {0, 3};
    const int32_t negative[] = {0, 1, -5};
    float scores[12];
    int32_t items[12];
    FAILS(CFD_ERROR_ARGUMENT, "scorer is NULL", cfd_score_users(NULL, users, 1, NULL, 0, scores));
    FAILS(CFD_ERROR_ARGUMENT, "users is NULL", cfd_score_users(s, NULL, 1, NULL, 0, scores));
    FAILS(CFD_ERROR_ARGUMENT, "scores is NULL", cfd_score_users(s, users, 1, NULL, 0, NULL));
    FAILS(CFD_ERROR_ARGUMENT, "users[1] is 3: 0 to 2 wanted", cfd_score_users(s, users, 2, NULL, 0, scores));
    FAILS(CFD_ERROR_ARGUMENT, "items[2] is -5: 0 to 3 wanted", cfd_score_users(s, users, 1, negative, 3, scores));
    FAILS(CFD_ERROR_ARGUMENT, "no memory is so large", cfd_score_users(s, users, SIZE_MAX / 2, NULL, 0, scores));
    OK(cfd_score_users(s, NULL, 0, NULL, 0, NULL));
    OK(cfd_score_users(s, NULL, 3, users, 0, NULL));

    FAILS(CFD_ERROR_ARGUMENT, "scorer is NULL", cfd_recommend(NULL, users, 1, 1, NULL, items, NULL, NULL));
    FAILS(CFD_ERROR_ARGUMENT, "k is 0", cfd_recommend(s, users, 1, 0, NULL, items, NULL, NULL));
    FAILS(CFD_ERROR_ARGUMENT, "users is NULL", cfd_recommend(s, NULL, 1, 1, NULL, items, NULL, NULL));
    FAILS(CFD_ERROR_ARGUMENT, "items is NULL", cfd_recommend(s, users, 1, 1, NULL, NULL, NULL, NULL));
    FAILS(CFD_ERROR_ARGUMENT, "users[1] is 3", cfd_recommend(s, users, 2, 1, NULL, items, NULL, NULL));
    FAILS(CFD_ERROR_ARGUMENT, "no memory is so large", cfd_recommend(s, users, 2, SIZE_MAX / 2, NULL, items, NULL, NULL));
    OK(cfd_recommend(s, NULL, 0, 1, NULL, NULL, NULL, NULL));

    int64_t offsets[] = {0, 2, 1};
    int32_t excluded[] = {1, 4};
    const int32_t two[] = {0, 1};
    cfd_filter filter = CFD_FILTER_INIT;
    OK(cfd_recommend(s, two, 2, 1, &filter, items, NULL, NULL));
    filter.exclude_offsets = offsets;
    FAILS(CFD_ERROR_ARGUMENT, "exclude_offsets[2] is 1, less than the 2 before it",
          cfd_recommend(s, two, 2, 1, &filter, items, NULL, NULL));
    offsets[2] = 2;
    FAILS(CFD_ERROR_ARGUMENT, "filter.exclude_items is NULL", cfd_recommend(s, two, 2, 1, &filter, items, NULL, NULL));
    filter.exclude_items = excluded;
    FAILS(CFD_ERROR_ARGUMENT, "filter.exclude_items[1] is 4", cfd_recommend(s, two, 2, 1, &filter, items, NULL, NULL));
    offsets[0] = -1;
    FAILS(CFD_ERROR_ARGUMENT, "exclude_offsets[0] is -1", cfd_recommend(s, two, 2, 1, &filter, items, NULL, NULL));
    filter.exclude_offsets = NULL;
    filter.allow_items = excluded;
    filter.n_allow_items = 2;
    FAILS(CFD_ERROR_ARGUMENT, "filter.allow_items[1] is 4: 0 to 3 wanted",
          cfd_recommend(s, two, 2, 1, &filter, items, NULL, NULL));
    filter.struct_size = 1;
    FAILS(CFD_ERROR_ARGUMENT, "struct_size", cfd_recommend(s, two, 2, 1, &filter, items, NULL, NULL));
    cfd_scorer_info info = CFD_SCORER_INFO_INIT;
    FAILS(CFD_ERROR_ARGUMENT, "scorer is NULL", cfd_scorer_get_info(NULL, &info));
    FAILS(CFD_ERROR_ARGUMENT, "info is NULL", cfd_scorer_get_info(s, NULL));
    FAILS(CFD_ERROR_ARGUMENT, "config is NULL", cfd_scorer_get_config(s, NULL));
    cfd_scorer_release(s);
}
END_TEST

START_TEST(recommendation_by_hand)
{
    cfd_scorer *s = load_whole();
    const int32_t users[] = {0, 2, 0};
    const int64_t offsets[] = {0, 1, 1, 5};
    const int32_t excluded[] = {2, 3, 1, 0, 2};
    cfd_filter filter = CFD_FILTER_INIT;
    filter.exclude_offsets = offsets;
    filter.exclude_items = excluded;
    int32_t items[3 * 5];
    float scores[3 * 5];
    int32_t counts[3];
    OK(cfd_recommend(s, users, 3, 5, &filter, items, scores, counts));
    const int32_t expected[] = {1, 3, 0, -1, -1, 0, 1, 3, 2, -1, -1, -1, -1, -1, -1}; /* 1 and 3 tie */
    const float expected_scores[] = {2,  2,         1,         -INFINITY, -INFINITY, 4,         -2,       -2,
                                     -4, -INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY};
    ck_assert_mem_eq(items, expected, sizeof expected);
    ck_assert_mem_eq(scores, expected_scores, sizeof expected_scores);
    ck_assert_int_eq(counts[0], 3);
    ck_assert_int_eq(counts[1], 4);
    ck_assert_int_eq(counts[2], 0);
    cfd_scorer_release(s);
}
END_TEST

START_TEST(allowed_items_by_hand)
{
    cfd_scorer *s = load_whole();
    const int32_t users[] = {0, 2, 0};
    const int64_t offsets[] = {0, 0, 1, 3};
    const int32_t excluded[] = {0, 1, 3};
    const int32_t allowed[] = {3, 0, 1, 3};
    cfd_filter filter = CFD_FILTER_INIT;
    filter.exclude_offsets = offsets;
    filter.exclude_items = excluded;
    filter.allow_items = allowed;
    filter.n_allow_items = 4;
    int32_t items[3 * 3];
    int32_t counts[3];
    OK(cfd_recommend(s, users, 3, 3, &filter, items, NULL, counts));
    const int32_t expected[] = {1, 3, 0, 1, 3, -1, 0, -1, -1}; /* 1 and 3 tie */
    ck_assert_mem_eq(items, expected, sizeof expected);
    ck_assert_int_eq(counts[0], 3);
    ck_assert_int_eq(counts[1], 2);
    ck_assert_int_eq(counts[2], 1);

    filter.n_allow_items = 0; /* nothing */
    OK(cfd_recommend(s, users, 1, 1, &filter, items, NULL, counts));
    ck_assert_int_eq(items[0], -1);
    ck_assert_int_eq(counts[0], 0);
    filter.allow_items = NULL; /* everything */
    filter.n_allow_items = 2;
    OK(cfd_recommend(s, users, 1, 1, &filter, items, NULL, NULL));
    ck_assert_int_eq(items[0], 2);
    filter.allow_items = allowed; /* a program from before the field was there */
    filter.struct_size = offsetof(cfd_filter, allow_items);
    OK(cfd_recommend(s, users, 1, 1, &filter, items, NULL, NULL));
    ck_assert_int_eq(items[0], 2);
    cfd_scorer_release(s);
}
END_TEST

/* ---- popularity and evaluation ---- */

static cfd_dataset *open_dataset(cfd_context *context)
{
    /* Item 1 is in training three times, item 0 once, item 2 once and in validation twice, once of a user who
     * trained on it. */
    const int32_t train_users[] = {0, 1, 2, 0, 2};
    const int32_t train_items[] = {1, 1, 1, 0, 2};
    const int32_t validation_users[] = {1, 2};
    const int32_t validation_items[] = {2, 2};
    const int32_t test_users[] = {0, 1};
    const int32_t test_items[] = {2, 3};
    cfd_dataset *data;
    OK(cfd_dataset_create(context, USERS, ITEMS, &data));
    OK(cfd_dataset_add_interactions(data, CFD_SPLIT_TRAIN, train_users, train_items, 5));
    OK(cfd_dataset_add_interactions(data, CFD_SPLIT_VALIDATION, validation_users, validation_items, 2));
    OK(cfd_dataset_add_interactions(data, CFD_SPLIT_TEST, test_users, test_items, 2));
    return data;
}

START_TEST(popularity_counts_the_users_who_have_an_item)
{
    cfd_context *context = open_context("cpu");
    cfd_dataset *data = open_dataset(context);
    for (int with_validation = 0; with_validation < 2; with_validation++) {
        cfd_scorer *s;
        OK(cfd_scorer_create_popularity(context, data, with_validation, &s));
        float scores[2 * ITEMS];
        OK(cfd_score_users(s, (const int32_t[]){2, 0}, 2, NULL, 0, scores));
        const float expected[] = {1, 3, with_validation ? 2 : 1, 0};
        ck_assert_mem_eq(scores, expected, sizeof expected);
        ck_assert_mem_eq(scores + ITEMS, expected, sizeof expected);
        cfd_scorer_info info = CFD_SCORER_INFO_INIT;
        OK(cfd_scorer_get_info(s, &info));
        ck_assert_int_eq(info.width, 1);
        ck_assert_int_eq(info.n_modalities, 0);
        cfd_scorer_release(s);
    }
    cfd_scorer *s;
    FAILS(CFD_ERROR_ARGUMENT, "dataset is NULL", cfd_scorer_create_popularity(context, NULL, 0, &s));
    FAILS(CFD_ERROR_ARGUMENT, "context is NULL", cfd_scorer_create_popularity(NULL, data, 0, &s));
    FAILS(CFD_ERROR_ARGUMENT, "scorer is NULL", cfd_scorer_create_popularity(context, data, 0, NULL));
    cfd_dataset_destroy(data);
    cfd_context_destroy(context);
}
END_TEST

START_TEST(a_scorer_is_evaluated_with_defaults_and_with_options)
{
    cfd_context *context = open_context("reference");
    cfd_dataset *data = open_dataset(context);
    cfd_scorer *s;
    OK(cfd_scorer_create_popularity(context, data, 0, &s));
    cfd_metrics metrics[3];
    size_t n_users;
    /* Scores 1, 3, 1, 0. User 0: item 2 against 3 (score 0): rank 0. User 1: item 3 against 0: rank 1. */
    OK(cfd_evaluate_scorer(s, data, NULL, metrics, &n_users));
    ck_assert_uint_eq(n_users, 2);
    ck_assert_int_eq(metrics[0].k, 5);
    ck_assert_int_eq(metrics[1].k, 10);
    ck_assert_int_eq(metrics[2].k, 20);
    ck_assert_double_eq(metrics[0].mrr, 0.75);
    ck_assert_double_eq(metrics[2].precision, 1.0 / 20);
    cfd_evaluate_options options = CFD_EVALUATE_OPTIONS_INIT;
    const int32_t one = 1;
    options.ks = &one;
    options.n_ks = 1;
    for (int protocol = 0; protocol < 2; protocol++) {
        options.protocol = (cfd_protocol)protocol;
        options.split = CFD_SPLIT_TEST;
        OK(cfd_evaluate_scorer(s, data, &options, metrics, NULL));
        ck_assert_double_eq(metrics[0].hr, 0.5);
        /* Item 2: behind a tie for user 1, trained on by user 2 and behind item 0. */
        options.split = CFD_SPLIT_VALIDATION;
        OK(cfd_evaluate_scorer(s, data, &options, metrics, NULL));
        ck_assert_double_eq(metrics[0].hr, 0.0);
        ck_assert_int_eq(metrics[1].k, 10); /* beyond n_ks: untouched */
    }
    cfd_scorer_release(s);
    cfd_dataset_destroy(data);
    cfd_context_destroy(context);
}
END_TEST

START_TEST(the_context_seeds_the_draw_unless_options_do)
{
    enum { MANY = 400, EVERY = 7 };
    int32_t users[MANY * (MANY / EVERY + 1)];
    int32_t items[MANY * (MANY / EVERY + 1)];
    int32_t test_users[MANY];
    int32_t test_items[MANY];
    size_t n = 0;
    for (int32_t user = 0; user < MANY; user++) { /* item 0 is the most popular, and so on */
        for (int32_t item = 0; item < MANY - user; item += EVERY, n++) {
            users[n] = user;
            items[n] = item;
        }
        test_users[user] = user;
        test_items[user] = user / 2;
    }
    cfd_metrics metrics[4];
    const uint64_t context_seeds[] = {5, 5, 6, 6};
    const uint64_t option_seeds[] = {0, 9, 0, 9};
    for (int i = 0; i < 4; i++) {
        cfd_context_options open = CFD_CONTEXT_OPTIONS_INIT;
        open.seed = context_seeds[i];
        cfd_context *context;
        OK(cfd_context_create(&open, &context));
        cfd_dataset *data;
        OK(cfd_dataset_create(context, MANY, MANY, &data));
        OK(cfd_dataset_add_interactions(data, CFD_SPLIT_TRAIN, users, items, n));
        OK(cfd_dataset_add_interactions(data, CFD_SPLIT_TEST, test_users, test_items, MANY));
        cfd_scorer *s;
        OK(cfd_scorer_create_popularity(context, data, 0, &s));
        cfd_evaluate_options options = CFD_EVALUATE_OPTIONS_INIT;
        const int32_t k = 10;
        options.ks = &k;
        options.n_ks = 1;
        options.protocol = CFD_PROTOCOL_SAMPLED;
        options.negatives = 50;
        options.seed = option_seeds[i];
        OK(cfd_evaluate_scorer(s, data, &options, &metrics[i], NULL));
        cfd_scorer_release(s);
        cfd_dataset_destroy(data);
        cfd_context_destroy(context);
    }
    ck_assert_double_ne(metrics[0].ndcg, metrics[2].ndcg);
    ck_assert_double_ne(metrics[0].ndcg, metrics[1].ndcg);
    ck_assert_mem_eq(&metrics[1], &metrics[3], sizeof metrics[1]);
}
END_TEST

START_TEST(options_of_evaluation_are_checked)
{
    cfd_context *context = open_context("cpu");
    cfd_dataset *data = open_dataset(context);
    cfd_scorer *s;
    OK(cfd_scorer_create_popularity(context, data, 0, &s));
    cfd_metrics metrics[3] = {{.k = -7}};
    size_t n_users = 77;
    int32_t ks[] = {5, 0};
    cfd_evaluate_options options = CFD_EVALUATE_OPTIONS_INIT;
#define REFUSED(status, message) FAILS(status, message, cfd_evaluate_scorer(s, data, &options, metrics, &n_users))
    options.split = CFD_SPLIT_TRAIN;
    REFUSED(CFD_ERROR_ARGUMENT, "options.split is 0");
    options.split = (cfd_split)3;
    REFUSED(CFD_ERROR_ARGUMENT, "options.split is 3");
    options.split = CFD_SPLIT_TEST;
    options.protocol = (cfd_protocol)2;
    REFUSED(CFD_ERROR_ARGUMENT, "options.protocol is 2");
    options.protocol = CFD_PROTOCOL_SAMPLED;
    options.n_ks = 2;
    REFUSED(CFD_ERROR_ARGUMENT, "options.ks is NULL");
    options.ks = ks;
    REFUSED(CFD_ERROR_ARGUMENT, "options.ks[1] is 0: 1 to 1000 wanted");
    ks[1] = 1001;
    REFUSED(CFD_ERROR_ARGUMENT, "options.ks[1] is 1001");
    options.n_ks = 0;
    REFUSED(CFD_ERROR_ARGUMENT, "options.n_ks is 0");
    options.n_ks = 1001;
    REFUSED(CFD_ERROR_ARGUMENT, "options.n_ks is 1001: 1 to 1000 wanted");
    options.n_ks = 1;
    options.negatives = -1;
    REFUSED(CFD_ERROR_ARGUMENT, "options.negatives is -1");
    options.negatives = 0;
    options.reserved = 1;
    REFUSED(CFD_ERROR_ARGUMENT, "options.reserved is 1");
    options.reserved = 0;
    options.struct_size = 3;
    REFUSED(CFD_ERROR_ARGUMENT, "struct_size is 3");
#undef REFUSED
    FAILS(CFD_ERROR_ARGUMENT, "scorer is NULL", cfd_evaluate_scorer(NULL, data, NULL, metrics, NULL));
    FAILS(CFD_ERROR_ARGUMENT, "dataset is NULL", cfd_evaluate_scorer(s, NULL, NULL, metrics, NULL));
    FAILS(CFD_ERROR_ARGUMENT, "metrics is NULL", cfd_evaluate_scorer(s, data, NULL, NULL, NULL));
    FAILS(CFD_ERROR_ARGUMENT, "model is NULL", cfd_evaluate(NULL, data, NULL, metrics, NULL));
    cfd_dataset *other;
    OK(cfd_dataset_create(context, USERS, ITEMS + 1, &other));
    FAILS(CFD_ERROR_DATA, "the model has 3 users and 4 items, the data set 3 users and 5 items",
          cfd_evaluate_scorer(s, other, NULL, metrics, NULL));
    cfd_dataset_destroy(other);
    OK(cfd_dataset_create(context, USERS, ITEMS, &other));
    FAILS(CFD_ERROR_DATA, "test split is empty", cfd_evaluate_scorer(s, other, NULL, metrics, NULL));
    cfd_dataset_destroy(other);
    ck_assert_int_eq(metrics[0].k, -7);
    ck_assert_uint_eq(n_users, 77);
    cfd_scorer_release(s);
    cfd_dataset_destroy(data);
    cfd_context_destroy(context);
}
END_TEST

/* ---- memory ---- */

START_TEST(want_of_memory_while_a_scorer_is_made_leaks_nothing)
{
    model_parts parts = whole_model();
    write_parts(&parts);
    test_memory memory = {0};
    cfd_context_options open = CFD_CONTEXT_OPTIONS_INIT;
    open.allocate = test_allocate;
    open.release = test_release;
    open.allocator_user = &memory;
    cfd_context *context;
    OK(cfd_context_create(&open, &context));
    cfd_dataset *data = open_dataset(context);
    for (int way = 0; way < 2; way++) {
        long live = atomic_load(&memory.live);
        for (long n = 1;; n++) {
            cfd_scorer *s = (cfd_scorer *)&s;
            atomic_store(&memory.allocations, 0);
            memory.fail_at = n;
            cfd_status status = way == 0 ? cfd_scorer_load(context, path, &s)
                                         : cfd_scorer_create_popularity(context, data, 1, &s);
            memory.fail_at = 0;
            if (status == CFD_OK) {
                ck_assert_int_ge(n, 5);
                cfd_scorer_release(s);
                ck_assert_int_eq(atomic_load(&memory.live), live);
                break;
            }
            ck_assert_int_eq(status, CFD_ERROR_MEMORY);
            ck_assert_ptr_eq(s, &s);
            ck_assert_int_eq(atomic_load(&memory.live), live);
        }
    }
    cfd_scorer *last;
    OK(cfd_scorer_load(context, path, &last));
    cfd_context_destroy(context);
    cfd_dataset_destroy(data);
    ck_assert_int_gt(atomic_load(&memory.live), 0); /* the scorer keeps the context */
    cfd_scorer_release(last);
    ck_assert_int_eq(atomic_load(&memory.live), 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("scorer, public");
    TCase *load = tcase_create("load");
    tcase_add_checked_fixture(load, make_path, remove_path);
    tcase_add_test(load, a_loaded_scorer_tells_what_the_file_says);
    tcase_add_test(load, a_model_without_modalities_has_no_roles);
    tcase_add_loop_test(load, tampered_metadata_is_refused, 0, sizeof metadata_cases / sizeof *metadata_cases);
    tcase_add_test(load, an_unknown_setting_is_refused);
    tcase_add_test(load, tampered_tensors_are_refused);
    tcase_add_loop_test(load, parameters_of_a_wrong_shape_are_refused, 0, sizeof parameter_cases / sizeof *parameter_cases);
    tcase_add_test(load, files_that_are_no_safetensors_are_refused);
    tcase_add_test(load, arguments_are_checked_and_named);
    tcase_add_test(load, recommendation_by_hand);
    tcase_add_test(load, allowed_items_by_hand);
    tcase_add_test(load, want_of_memory_while_a_scorer_is_made_leaks_nothing);
    suite_add_tcase(s, load);
    TCase *evaluation = tcase_create("evaluation");
    tcase_add_test(evaluation, popularity_counts_the_users_who_have_an_item);
    tcase_add_test(evaluation, a_scorer_is_evaluated_with_defaults_and_with_options);
    tcase_add_test(evaluation, the_context_seeds_the_draw_unless_options_do);
    tcase_add_test(evaluation, options_of_evaluation_are_checked);
    suite_add_tcase(s, evaluation);
    return s;
}

TEST_MAIN(suite)
