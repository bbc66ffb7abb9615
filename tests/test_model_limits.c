/* SPDX-License-Identifier: Apache-2.0 */
/* Models that cannot be made say why; memory that runs out anywhere is reported and leaves nothing behind. */
#include "model_random.h"

#include <stdatomic.h>

/* ---- models that cannot be ---- */

START_TEST(a_model_that_cannot_be_made_says_why)
{
    static const char *const nothing[] = {"branch.base", "no", "modalities", "none", NULL};
    static const char *const stranger[] = {"lambda.acoustic", "2", NULL};
    cfd_context *context = open_context("cpu", 1, 1);
    cfd_dataset *empty;
    OK(cfd_dataset_create(context, 3, 3, &empty));
    cfd_model *model = NULL;
    FAILS(CFD_ERROR_DATA, "no training interactions", cfd_model_create(context, NULL, empty, &model));
    cfd_dataset *data = random_dataset(context, &small_world);
    cfd_config *config = config_of(NULL, nothing);
    FAILS(CFD_ERROR_CONFIG, "nothing to rank by", cfd_model_create(context, config, data, &model));
    cfd_config_destroy(config);
    config = config_of(NULL, stranger);
    FAILS(CFD_ERROR_CONFIG, "acoustic", cfd_model_create(context, config, data, &model));
    cfd_config_destroy(config);
    FAILS(CFD_ERROR_ARGUMENT, "dataset", cfd_model_create(context, NULL, NULL, &model));
    ck_assert_ptr_null(model);
    cfd_dataset_destroy(data);
    cfd_dataset_destroy(empty);
    cfd_context_destroy(context);
}
END_TEST

START_TEST(where_every_user_has_every_item_no_batch_can_be_drawn)
{
    static const int32_t users[] = {0, 0, 1, 1};
    static const int32_t items[] = {0, 1, 0, 1};
    cfd_context *context = open_context("cpu", 1, 1);
    cfd_dataset *data;
    OK(cfd_dataset_create(context, 2, 2, &data));
    OK(cfd_dataset_add_interactions(data, CFD_SPLIT_TRAIN, users, items, 4));
    cfd_model *model = model_of(context, config_of(NULL, NULL), data);
    FAILS(CFD_ERROR_DATA, "every item", cfd_train_step(model, NULL, NULL));
    cfd_batch batch = CFD_BATCH_INIT;
    batch.users = batch.positives = batch.negatives = users;
    batch.size = 1;
    OK(cfd_train_step(model, &batch, NULL));
    cfd_model_destroy(model);
}
END_TEST

/* ---- memory that runs out at the n-th allocation ---- */

typedef struct short_memory {
    atomic_long allocations, live;
    long fail_at;
} short_memory;

static void *short_allocate(void *user, size_t bytes)
{
    short_memory *memory = user;
    if (atomic_fetch_add(&memory->allocations, 1) + 1 == memory->fail_at) {
        return NULL;
    }
    void *block = malloc(bytes);
    atomic_fetch_add(&memory->live, block ? 1 : 0);
    return block;
}

static void short_release(void *user, void *block)
{
    short_memory *memory = user;
    atomic_fetch_sub(&memory->live, 1);
    free(block);
}

/* Context, data set, model, a step, an embedding and a snapshot; whatever was made is destroyed again. */
static cfd_status use_memory(short_memory *memory)
{
    static const char *const settings[] = {"embedding_dim", "3", "batch_size", "4", NULL};
    static const int32_t users[] = {0, 1, 2};
    static const int32_t items[] = {0, 1, 1};
    static const float features[] = {1, 2, 3, 4, 5, 6};
    static const int64_t offsets[] = {0, 1, 2, 2};
    static const int32_t columns[] = {0, 1};
    cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
    options.device = "cpu";
    options.threads = 2;
    options.allocate = short_allocate;
    options.release = short_release;
    options.allocator_user = memory;
    cfd_context *context = NULL;
    cfd_dataset *data = NULL;
    cfd_model *model = NULL;
    cfd_scorer *scorer = NULL;
    float rows[18];
    cfd_config *config = config_of("beauty", settings);
    cfd_status status = cfd_context_create(&options, &context);
    status = status != CFD_OK ? status : cfd_dataset_create(context, 3, 3, &data);
    status = status != CFD_OK ? status : cfd_dataset_add_interactions(data, CFD_SPLIT_TRAIN, users, items, 3);
    status = status != CFD_OK ? status : cfd_dataset_add_dense_modality(data, "visual", features, CFD_FLOAT32, 2, 2);
    status = status != CFD_OK ? status : cfd_dataset_add_sparse_modality(data, "textual", 2, offsets, columns, NULL);
    status = status != CFD_OK ? status : cfd_model_create(context, config, data, &model);
    status = status != CFD_OK ? status : cfd_train_step(model, NULL, NULL);
    status = status != CFD_OK ? status : cfd_model_get_embedding(model, "common.visual", rows, 18);
    status = status != CFD_OK ? status : cfd_scorer_create(model, &scorer);
    cfd_scorer_release(scorer);
    cfd_model_destroy(model);
    cfd_dataset_destroy(data);
    cfd_context_destroy(context);
    cfd_config_destroy(config);
    return status;
}

START_TEST(every_want_of_memory_is_reported_and_leaves_nothing_behind)
{
    short_memory memory = {.fail_at = 0};
    OK(use_memory(&memory));
    ck_assert_int_eq(atomic_load(&memory.live), 0);
    long all = atomic_load(&memory.allocations);
    ck_assert_int_gt(all, 50);
    for (long at = 1; at <= all; at++) {
        short_memory limited = {.fail_at = at};
        FAILS(CFD_ERROR_MEMORY, "memory", use_memory(&limited));
        ck_assert_msg(atomic_load(&limited.live) == 0, "allocation %ld failed: %ld blocks left behind", at,
                      atomic_load(&limited.live));
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("model limits");
    TCase *limits = tcase_create("limits");
    tcase_set_timeout(limits, 60);
    tcase_add_test(limits, a_model_that_cannot_be_made_says_why);
    tcase_add_test(limits, where_every_user_has_every_item_no_batch_can_be_drawn);
    tcase_add_test(limits, every_want_of_memory_is_reported_and_leaves_nothing_behind);
    suite_add_tcase(s, limits);
    return s;
}

TEST_MAIN(suite)
