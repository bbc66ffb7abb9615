/* SPDX-License-Identifier: Apache-2.0 */
/* Serving when memory runs out at every place that it can, and model files whose nodes and histories were tampered with. */
#define _XOPEN_SOURCE 700 /* mkstemp */
#include "io/safetensors.h"
#include "limited_memory.h"
#include "test_api_world.h"

#include <unistd.h>

static limited memory;
static cfd_context *context;
static cfd_dataset *data;
static cfd_scorer *scorer;
static char path[] = "serving-limits-XXXXXX";

static void open_world(void)
{
    cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
    limited_init(&memory, LONG_MAX);
    options.threads = 2;
    options.allocate = limited_allocate;
    options.release = limited_release;
    options.allocator_user = &memory;
    OK(cfd_context_create(&options, &context));
    data = world_data(context);
    cfd_config *config = WORLD_CONFIG("keep.history", "yes", "transform.photo", "center,svd:4");
    cfd_model *model = world_model(context, config, data);
    OK(cfd_train_step(model, NULL, NULL));
    OK(cfd_scorer_create(model, &scorer));
    int file = mkstemp(path);
    ck_assert_int_ge(file, 0);
    close(file);
    OK(cfd_model_save(model, path));
    cfd_model_destroy(model);
    cfd_config_destroy(config);
}

static void close_world(void)
{
    unlink(path);
    cfd_scorer_release(scorer);
    cfd_dataset_destroy(data);
    cfd_context_destroy(context);
    ck_assert_int_eq(atomic_load(&memory.live), 0);
}

/* ---- want of memory ---- */

/* What a call writes. */
typedef struct outputs {
    float numbers[128];
    int32_t ids[16], count;
    cfd_scorer *made;
} outputs;

static float photo[WORLD_ITEMS][WORLD_PHOTO];
static const int32_t some_items[] = {4, 9, 4, 1};
static const int64_t user_offsets[] = {0, 2};
static const int32_t some_users[] = {5, 2};

static cfd_item_features photo_features(void)
{
    cfd_item_features features = CFD_ITEM_FEATURES_INIT;
    world_fill_photo(photo);
    features.role = "photo";
    features.dense = photo;
    features.stride = features.columns = WORLD_PHOTO;
    return features;
}

static cfd_status fold_user(outputs *o)
{
    return cfd_fold_in_user(scorer, some_items, 4, o->numbers);
}

static cfd_status fold_item(outputs *o)
{
    cfd_item_features features = photo_features();
    cfd_new_items items = CFD_NEW_ITEMS_INIT;
    items.n_items = 1;
    items.features = &features;
    items.n_features = 1;
    items.user_offsets = user_offsets;
    items.users = some_users;
    return cfd_fold_in_items(scorer, &items, o->numbers, &o->made);
}

static cfd_status similar(outputs *o)
{
    cfd_filter filter = CFD_FILTER_INIT;
    filter.deny_items = some_items; /* in no order */
    filter.n_deny_items = 4;
    return cfd_similar_items(scorer, some_items, 2, CFD_PART_COMMON, NULL, 5, &filter, o->ids, o->numbers, &o->count);
}

static cfd_status search(outputs *o)
{
    cfd_item_features features = photo_features();
    return cfd_search_items(scorer, &features, 2, "tags", 5, NULL, o->ids, o->numbers, NULL);
}

static cfd_status explain(outputs *o)
{
    return cfd_explain(scorer, 3, 4, NULL, NULL, 0, 5, o->ids, o->numbers);
}

static cfd_status denied(outputs *o)
{
    cfd_filter filter = CFD_FILTER_INIT;
    filter.deny_items = some_items;
    filter.n_deny_items = 4;
    filter.allow_items = some_items;
    filter.n_allow_items = 4;
    filter.exclude_seen = 1;
    return cfd_recommend(scorer, some_users, 2, 5, &filter, o->ids, o->numbers, NULL);
}

static cfd_status load(outputs *o)
{
    return cfd_scorer_load(context, path, &o->made);
}

static cfd_status (*const calls[])(outputs *) = {fold_user, fold_item, similar, search, explain, denied, load};

START_TEST(want_of_memory_leaves_outputs_untouched_and_nothing_behind)
{
    long needed = -1;
    for (long n = 0; needed < 0; n++) {
        outputs before;
        outputs after;
        memset(&before, 0x5a, sizeof before);
        before.made = NULL;
        after = before;
        long live = atomic_load(&memory.live);
        atomic_store(&memory.left, n);
        cfd_status status = calls[_i](&after);
        atomic_store(&memory.left, LONG_MAX);
        if (status == CFD_OK) {
            ck_assert_mem_ne(&before, &after, sizeof before);
            needed = n;
            cfd_scorer_release(after.made);
        } else {
            ck_assert_int_eq(status, CFD_ERROR_MEMORY);
            ck_assert_mem_eq(&before, &after, sizeof before);
        }
        ck_assert_int_eq(atomic_load(&memory.live), live);
    }
    ck_assert_int_gt(needed, 0); /* it did run out */
}
END_TEST

/* ---- tampered files ---- */

/* Writes the model's file again with one tensor changed, or without it. */
static void rewrite(const char *name, void (*change)(safetensor *tensor, void *copy))
{
    safetensors_file file;
    OK(safetensors_open(&memory_default, path, &file));
    safetensor *tensors = malloc(file.n_tensors * sizeof *tensors);
    void *copy = NULL;
    size_t n = 0;
    for (size_t i = 0; i < file.n_tensors; i++) {
        tensors[n] = file.tensors[i];
        if (strcmp(file.tensors[i].name, name) == 0) {
            if (!change) {
                continue;
            }
            copy = malloc(tensors[n].bytes);
            memcpy(copy, tensors[n].data, tensors[n].bytes);
            tensors[n].data = copy;
            change(&tensors[n], copy);
        }
        n++;
    }
    ck_assert(change ? copy != NULL : n + 1 == file.n_tensors);
    OK(safetensors_write(&memory_default, path, tensors, n, file.metadata, file.n_metadata));
    free(copy);
    free(tensors);
    safetensors_close(&file);
}

static void negative_first(safetensor *tensor, void *copy)
{
    (void)tensor;
    ((int32_t *)copy)[0] = -1;
}

static void beyond_the_items(safetensor *tensor, void *copy)
{
    (void)tensor;
    ((int32_t *)copy)[2] = WORLD_ITEMS;
}

static void not_ascending(safetensor *tensor, void *copy)
{
    (void)tensor;
    ((int64_t *)copy)[3] = INT64_MAX / 2;
}

static void huge_last(safetensor *tensor, void *copy)
{
    ((int64_t *)copy)[tensor->shape[0] - 1] = INT64_C(1) << 61;
}

static void fewer_rows(safetensor *tensor, void *copy)
{
    (void)copy;
    tensor->shape[0]--;
    tensor->bytes = (size_t)(tensor->shape[0] * tensor->shape[1]) * sizeof(float);
}

static void as_floats(safetensor *tensor, void *copy)
{
    (void)copy;
    tensor->dtype = "F32";
}

static void as_vector(safetensor *tensor, void *copy)
{
    (void)copy;
    tensor->shape[0] *= tensor->shape[1];
    tensor->rank = 1;
}

static const struct {
    const char *name;
    void (*change)(safetensor *tensor, void *copy);
    const char *message;
} tampered[] = {
    {"serve.degrees", negative_first, "serve.degrees is -1 at node 0"},
    {"serve.degrees", as_floats, "serve.degrees is not a vector"},
    {"serve.layers", fewer_rows, "serve.layers is 155 x 8"},
    {"serve.layers", NULL, "serve.layers is missing"},
    {"serve.heads", fewer_rows, "serve.heads is 77 x 32"},
    {"serve.hops", NULL, "serve.hops is missing"},
    {"serve.hops", as_vector, "serve.hops is F32 with 1 dimensions"},
    {"serve.whitening.photo", NULL, "serve.whitening.photo is missing"},
    {"proj.common.tags", NULL, "a projection of role tags is missing"},
    {"proj.differential.photo", fewer_rows, "proj.differential.photo has 3 rows"},
    {"transform.photo.0.mean", NULL, "transform.photo.0.mean is missing"},
    {"transform.photo.1.basis", NULL, "transform.photo.1.basis is missing"},
    {"serve.history.offsets", not_ascending, "serve.history.offsets does not ascend from 0 at user"},
    {"serve.history.offsets", huge_last, "serve.history.items is not a vector of"},
    {"serve.history.items", beyond_the_items, "serve.history.items does not name ascending items for user 0"},
    {"serve.history.items", NULL, "serve.history.items is missing"},
};

START_TEST(tampered_nodes_and_histories_are_refused)
{
    cfd_scorer *made = NULL;
    rewrite(tampered[_i].name, tampered[_i].change);
    FAILS(CFD_ERROR_FORMAT, tampered[_i].message, cfd_scorer_load(context, path, &made));
    ck_assert_ptr_null(made);
}
END_TEST

static void not_a_number(safetensor *tensor, void *copy)
{
    for (size_t i = 0; i < tensor->bytes / sizeof(float); i++) {
        ((float *)copy)[i] = NAN;
    }
}

/* Node rows are not read when the file is opened: numbers that are none show when they are used. */
START_TEST(results_that_are_no_numbers_are_an_error)
{
    cfd_scorer *made;
    float query[128];
    rewrite("serve.heads", not_a_number);
    OK(cfd_scorer_load(context, path, &made));
    FAILS(CFD_ERROR_NUMERIC, "not finite", cfd_fold_in_user(made, some_items, 4, query));
    cfd_scorer_release(made);
    rewrite("serve.whitening.photo", not_a_number);
    OK(cfd_scorer_load(context, path, &made));
    cfd_item_features features = photo_features();
    int32_t list[5];
    FAILS(CFD_ERROR_NUMERIC, "not finite", cfd_search_items(made, &features, 1, "tags", 5, NULL, list, NULL, NULL));
    cfd_scorer_release(made);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("limits of serving");
    TCase *tc = tcase_create("memory and files");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, open_world, close_world);
    tcase_add_loop_test(tc, want_of_memory_leaves_outputs_untouched_and_nothing_behind, 0, sizeof calls / sizeof *calls);
    tcase_add_loop_test(tc, tampered_nodes_and_histories_are_refused, 0, sizeof tampered / sizeof *tampered);
    tcase_add_test(tc, results_that_are_no_numbers_are_an_error);
    suite_add_tcase(s, tc);
    return s;
}

TEST_MAIN(suite)
