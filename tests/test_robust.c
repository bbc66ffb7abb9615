/* SPDX-License-Identifier: Apache-2.0 */
/* Want of memory anywhere from context to saved model: it is reported, nothing leaks, every handle stays usable, and
 * what was refused once goes through when it is asked for again, with the same result. */
#include "files.h"
#include "test_api_world.h"

/* ---- memory that runs out ---- */

typedef struct limited {
    long asked, held;
    long fail_at;   /* from 1; 0: never */
    bool for_good;  /* all later ones fail too */
    size_t largest; /* bigger blocks are refused; 0: none is */
} limited;

static void *limited_allocate(void *user, size_t bytes)
{
    limited *l = user;
    l->asked++;
    if (l->fail_at > 0 && (l->asked == l->fail_at || (l->for_good && l->asked > l->fail_at))) {
        return NULL;
    }
    if (l->largest > 0 && bytes > l->largest) {
        return NULL;
    }
    void *memory = malloc(bytes);
    l->held += memory != NULL;
    return memory;
}

static void limited_release(void *user, void *memory)
{
    limited *l = user;
    ck_assert_ptr_nonnull(memory);
    l->held--;
    free(memory);
}

static cfd_context_options options_of(limited *l)
{
    cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
    options.threads = 1;
    options.allocate = limited_allocate;
    options.release = limited_release;
    options.allocator_user = l;
    return options;
}

/* ---- from context to saved model ---- */

typedef struct flow {
    bool retry; /* a call that fails for want of memory is made once more */
    int failures;
    float scores[WORLD_ITEMS];
    int32_t best[4];
    cfd_metrics metrics[3];
} flow;

#define ATTEMPT(expression)                                                   \
    do {                                                                      \
        status = (expression);                                                \
        if (status != CFD_OK) {                                               \
            ck_assert_int_eq(status, CFD_ERROR_MEMORY);                       \
            ck_assert_ptr_nonnull(strstr(cfd_last_error(), "out of memory")); \
            f->failures++;                                                    \
            if (f->retry) {                                                   \
                status = (expression);                                        \
            }                                                                 \
            if (status != CFD_OK) {                                           \
                goto done;                                                    \
            }                                                                 \
        }                                                                     \
    } while (0)

/* The world, by few calls. */
static cfd_status add_everything(cfd_dataset *data, flow *f)
{
    static float photo[WORLD_ITEMS][WORLD_PHOTO];
    int32_t users[3][WORLD_USERS * WORLD_ITEMS];
    int32_t items[3][WORLD_USERS * WORLD_ITEMS];
    size_t n[3] = {0, 0, 0};
    for (int32_t u = 0; u < WORLD_USERS; u++) {
        for (int32_t i = u % 3; i < WORLD_ITEMS; i += 3) {
            int split = (u + i) % 7 == 0 ? CFD_SPLIT_VALIDATION : (u + i) % 7 == 1 ? CFD_SPLIT_TEST : CFD_SPLIT_TRAIN;
            users[split][n[split]] = u;
            items[split][n[split]++] = i;
        }
    }
    int64_t offsets[WORLD_ITEMS + 1] = {0};
    int32_t tags[WORLD_ITEMS * 2];
    for (int32_t i = 0; i < WORLD_ITEMS; i++) {
        offsets[i + 1] = 2 * (i + 1);
        tags[2 * i] = i % 3;
        tags[2 * i + 1] = 3 + i % 7;
    }
    world_fill_photo(photo);
    cfd_status status;
    for (int split = 0; split < 3; split++) {
        ATTEMPT(cfd_dataset_add_interactions(data, (cfd_split)split, users[split], items[split], n[split]));
    }
    ATTEMPT(cfd_dataset_add_dense_modality(data, "photo", photo, CFD_FLOAT32, WORLD_PHOTO, WORLD_PHOTO));
    ATTEMPT(cfd_dataset_add_sparse_modality(data, "tags", 10, offsets, tags, NULL));
done:
    return status;
}

static cfd_status run_flow(limited *l, const cfd_config *config, flow *f)
{
    cfd_context_options options = options_of(l);
    cfd_context *context = NULL;
    cfd_dataset *data = NULL;
    cfd_model *model = NULL;
    cfd_scorer *scorer = NULL;
    cfd_scorer *loaded = NULL;
    cfd_scorer *popular = NULL;
    const int32_t user = 4;
    float embedding[(WORLD_USERS + WORLD_ITEMS) * 8];
    float parameter[WORLD_ITEMS * 8];
    cfd_status status;
    ATTEMPT(cfd_context_create(&options, &context));
    ATTEMPT(cfd_dataset_create(context, WORLD_USERS, WORLD_ITEMS, &data));
    status = add_everything(data, f);
    if (status != CFD_OK) {
        goto done;
    }
    ATTEMPT(cfd_model_create(context, config, data, &model));
    ATTEMPT(cfd_train_step(model, NULL, NULL));
    ATTEMPT(cfd_train_step(model, NULL, NULL));
    if (!f->retry) { /* made again it would train on from where it broke off */
        ATTEMPT(cfd_train(model, NULL, NULL));
    }
    ATTEMPT(cfd_model_get_parameter(model, "item.id", parameter, WORLD_ITEMS * 8));
    ATTEMPT(cfd_model_set_parameter(model, "item.id", parameter, WORLD_ITEMS * 8));
    ATTEMPT(cfd_model_get_embedding(model, "base", embedding, sizeof embedding / sizeof embedding[0]));
    ATTEMPT(cfd_evaluate(model, data, NULL, f->metrics, NULL));
    ATTEMPT(cfd_scorer_create(model, &scorer));
    ATTEMPT(cfd_scorer_create_popularity(context, data, 1, &popular));
    ATTEMPT(cfd_score_users(scorer, &user, 1, NULL, 0, f->scores));
    ATTEMPT(cfd_recommend(scorer, &user, 1, 4, NULL, f->best, NULL, NULL));
    ATTEMPT(cfd_model_save(model, in_folder("m")));
    ATTEMPT(cfd_scorer_load(context, in_folder("m"), &loaded));
done:
    /* Whatever failed, the outputs of calls that did not succeed are untouched, and these accept what is there. */
    cfd_scorer_release(loaded);
    cfd_scorer_release(popular);
    cfd_scorer_release(scorer);
    cfd_model_destroy(model);
    cfd_dataset_destroy(data);
    cfd_context_destroy(context);
    return status;
}

/* One epoch of few steps, one evaluation. */
static cfd_config *flow_config(void)
{
    return WORLD_CONFIG("modalities", "visual=photo,textual=tags", "transform.visual", "standardize,l2", "transform.textual",
                        "svd:4", "epochs", "1", "eval_every", "1", "batch_size", "128", "merge_validation", "no");
}

/* Fails each allocation in turn; ends when there are no more. */
static long fail_each(bool for_good, bool retry, const flow *expected)
{
    cfd_config *config = flow_config();
    long n = 1;
    for (;; n++) {
        limited l = {.fail_at = n, .for_good = for_good};
        flow f = {.retry = retry};
        cfd_status status = run_flow(&l, config, &f);
        ck_assert_msg(l.held == 0, "allocation %ld failed: %ld blocks were not given back", n, l.held);
        bool reached = l.asked >= n;
        ck_assert_msg(f.failures == reached, "allocation %ld failed: %d calls failed", n, f.failures);
        if (reached && !retry) {
            ck_assert_int_eq(status, CFD_ERROR_MEMORY);
            ck_assert_int_le(entries_in_folder(), 1); /* the model file or nothing, no temporary one */
        } else {
            ck_assert_int_eq(status, CFD_OK);
            ck_assert_msg(memcmp(f.scores, expected->scores, sizeof f.scores) == 0, "allocation %ld changed the scores", n);
            ck_assert_mem_eq(f.best, expected->best, sizeof f.best);
            ck_assert_mem_eq(f.metrics, expected->metrics, sizeof f.metrics);
        }
        remove_tree(in_folder("m"));
        ck_assert_int_eq(entries_in_folder(), 0);
        if (!reached) {
            break;
        }
    }
    cfd_config_destroy(config);
    return n - 1;
}

static flow undisturbed(bool retry)
{
    cfd_config *config = flow_config();
    limited l = {.fail_at = 0};
    flow f = {.retry = retry};
    OK(run_flow(&l, config, &f));
    ck_assert_int_eq(l.held, 0);
    ck_assert_int_eq(f.failures, 0);
    remove_tree(in_folder("m"));
    cfd_config_destroy(config);
    return f;
}

START_TEST(every_single_want_of_memory_is_reported_and_nothing_leaks)
{
    flow expected = undisturbed(false);
    ck_assert_int_gt(fail_each(false, false, &expected), 100); /* the whole way was gone */
}
END_TEST

START_TEST(memory_that_is_gone_for_good_is_no_worse)
{
    flow expected = undisturbed(false);
    ck_assert_int_gt(fail_each(true, false, &expected), 100);
}
END_TEST

START_TEST(a_call_refused_for_want_of_memory_can_be_made_again)
{
    flow expected = undisturbed(true);
    ck_assert_int_gt(fail_each(false, true, &expected), 100);
}
END_TEST

/* ---- sizes beyond any memory ---- */

START_TEST(what_can_never_fit_is_refused)
{
    limited l = {.largest = (size_t)64 << 20};
    cfd_context_options options = options_of(&l);
    cfd_context *context;
    OK(cfd_context_create(&options, &context));
    cfd_dataset *data = NULL;
    FAILS(CFD_ERROR_MEMORY, "out of memory", cfd_dataset_create(context, INT32_MAX - 1, 1, &data));
    FAILS(CFD_ERROR_MEMORY, "out of memory", cfd_dataset_create(context, INT32_MAX - 1, INT32_MAX - 1, &data));
    ck_assert_ptr_null(data);

    /* Many items are cheap until something is computed for each. */
    OK(cfd_dataset_create(context, 2, 4000000, &data));
    const int32_t users[] = {0, 1};
    const int32_t items[] = {3999999, 0};
    OK(cfd_dataset_add_interactions(data, CFD_SPLIT_TRAIN, users, items, 2));
    cfd_config *config = WORLD_CONFIG("embedding_dim", "1024");
    cfd_model *model = NULL;
    FAILS(CFD_ERROR_MEMORY, "out of memory", cfd_model_create(context, config, data, &model));
    ck_assert_ptr_null(model);
    cfd_config_destroy(config);

    cfd_scorer *scorer;
    OK(cfd_scorer_create_popularity(context, data, 0, &scorer));
    const int32_t user = 0;
    int32_t best;
    float scores[1];
    FAILS(CFD_ERROR_ARGUMENT, "no memory is so large",
          cfd_recommend(scorer, &user, SIZE_MAX / 2, 4, NULL, &best, NULL, NULL));
    FAILS(CFD_ERROR_ARGUMENT, "no memory is so large", cfd_score_users(scorer, &user, SIZE_MAX / 8, NULL, 0, scores));
    OK(cfd_recommend(scorer, &user, 1, 1, NULL, &best, NULL, NULL));
    ck_assert_int_eq(best, 0); /* both items have one interaction: the lower id */
    cfd_scorer_release(scorer);
    cfd_dataset_destroy(data);
    cfd_context_destroy(context);
    ck_assert_int_eq(l.held, 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("robust: memory");
    TCase *t = tcase_create("memory");
    tcase_set_timeout(t, 300);
    tcase_add_checked_fixture(t, make_folder, remove_folder);
    tcase_add_test(t, every_single_want_of_memory_is_reported_and_nothing_leaks);
    tcase_add_test(t, memory_that_is_gone_for_good_is_no_worse);
    tcase_add_test(t, a_call_refused_for_want_of_memory_can_be_made_again);
    tcase_add_test(t, what_can_never_fit_is_refused);
    suite_add_tcase(s, t);
    return s;
}

TEST_MAIN(suite)
