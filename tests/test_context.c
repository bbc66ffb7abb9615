/* SPDX-License-Identifier: Apache-2.0 */
/* The context: options that grow, devices, threads, memory, and who keeps whom alive. */
#include "test_api_world.h"

#include <pthread.h>
#include <stdatomic.h>

/* ---- memory that is counted ---- */

typedef struct counted {
    atomic_long live, calls;
} counted;

static void *counted_allocate(void *user, size_t bytes)
{
    counted *c = user;
    atomic_fetch_add(&c->live, 1);
    atomic_fetch_add(&c->calls, 1);
    return malloc(bytes);
}

static void counted_release(void *user, void *memory)
{
    counted *c = user;
    ck_assert_ptr_nonnull(memory);
    atomic_fetch_sub(&c->live, 1);
    free(memory);
}

static cfd_context *counted_context(counted *c, int32_t threads)
{
    cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
    options.threads = threads;
    options.allocate = counted_allocate;
    options.release = counted_release;
    options.allocator_user = c;
    cfd_context *context;
    OK(cfd_context_create(&options, &context));
    return context;
}

/* ---- structs that grow ---- */

/* The options of a header to come: two fields more. */
typedef struct later_options {
    cfd_context_options known;
    int64_t more;
    const void *still_more;
} later_options;

START_TEST(no_options_and_the_initialiser_mean_the_same)
{
    cfd_context *contexts[2];
    cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
    OK(cfd_context_create(NULL, &contexts[0]));
    OK(cfd_context_create(&options, &contexts[1]));
    cfd_context_info info[2] = {CFD_CONTEXT_INFO_INIT, CFD_CONTEXT_INFO_INIT};
    for (int i = 0; i < 2; i++) {
        OK(cfd_context_get_info(contexts[i], &info[i]));
        ck_assert_uint_eq(info[i].seed, 2024);
        ck_assert_str_eq(info[i].device, "cpu");
        ck_assert_int_ge(info[i].threads, 1);
    }
    ck_assert_int_eq(info[0].threads, info[1].threads);
    cfd_context_destroy(contexts[0]);
    cfd_context_destroy(contexts[1]);
    cfd_context_destroy(NULL);
}
END_TEST

START_TEST(options_of_an_older_header_end_sooner_and_the_rest_is_default)
{
    /* Only struct_size, device and threads; what lies behind must not be read. */
    cfd_context_options options;
    memset(&options, 0xee, sizeof options);
    options.struct_size = offsetof(cfd_context_options, reserved);
    options.device = "reference";
    options.threads = 3;
    cfd_context *context;
    OK(cfd_context_create(&options, &context));
    cfd_context_info info = CFD_CONTEXT_INFO_INIT;
    OK(cfd_context_get_info(context, &info));
    ck_assert_str_eq(info.device, "reference");
    ck_assert_int_eq(info.threads, 3);
    ck_assert_uint_eq(info.seed, 2024);
    cfd_context_destroy(context);
    options.struct_size = sizeof options.struct_size;
    OK(cfd_context_create(&options, &context));
    OK(cfd_context_get_info(context, &info));
    ck_assert_str_eq(info.device, "cpu");
    cfd_context_destroy(context);
}
END_TEST

START_TEST(options_of_a_later_header_are_taken_while_their_new_fields_are_zero)
{
    later_options options = {CFD_CONTEXT_OPTIONS_INIT, 0, NULL};
    options.known.struct_size = sizeof options;
    options.known.seed = 7;
    cfd_context *context;
    OK(cfd_context_create(&options.known, &context));
    cfd_context_info info = CFD_CONTEXT_INFO_INIT;
    OK(cfd_context_get_info(context, &info));
    ck_assert_uint_eq(info.seed, 7);
    cfd_context_destroy(context);

    context = NULL;
    options.more = 1;
    FAILS(CFD_ERROR_ARGUMENT, "options has a field", cfd_context_create(&options.known, &context));
    options.more = 0;
    options.still_more = &context;
    FAILS(CFD_ERROR_ARGUMENT, "does not know", cfd_context_create(&options.known, &context));
    ck_assert_ptr_null(context);
}
END_TEST

START_TEST(options_that_were_not_set_up_are_refused)
{
    cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
    cfd_context *context = NULL;
    options.struct_size = 0;
    FAILS(CFD_ERROR_ARGUMENT, "_INIT", cfd_context_create(&options, &context));
    options.struct_size = sizeof(size_t) - 1;
    FAILS(CFD_ERROR_ARGUMENT, "struct_size", cfd_context_create(&options, &context));
    ck_assert_ptr_null(context);
}
END_TEST

START_TEST(answers_are_written_no_further_than_the_callers_struct)
{
    cfd_context *context = world_context(2, NULL);
    cfd_context_info info;
    memset(&info, 0x5a, sizeof info);
    info.struct_size = offsetof(cfd_context_info, instruction_set);
    OK(cfd_context_get_info(context, &info));
    ck_assert_str_eq(info.device, "cpu");
    const unsigned char *bytes = (const unsigned char *)&info;
    for (size_t i = offsetof(cfd_context_info, instruction_set); i < sizeof info; i++) {
        ck_assert_uint_eq(bytes[i], 0x5a);
    }
    ck_assert_uint_eq(info.struct_size, offsetof(cfd_context_info, instruction_set)); /* the caller's, not ours */
    info.struct_size = 0;
    FAILS(CFD_ERROR_ARGUMENT, "struct_size", cfd_context_get_info(context, &info));
    struct {
        cfd_context_info known;
        uint64_t tail;
    } later = {CFD_CONTEXT_INFO_INIT, 99};
    later.known.struct_size = sizeof later;
    OK(cfd_context_get_info(context, &later.known));
    ck_assert_uint_eq(later.tail, 99);
    cfd_context_destroy(context);
}
END_TEST

/* ---- devices, threads, information ---- */

START_TEST(devices_are_chosen_by_name)
{
    const char *const good[][2] = {{NULL, "cpu"}, {"auto", "cpu"}, {"cpu", "cpu"}, {"reference", "reference"}};
    for (size_t i = 0; i < 4; i++) {
        cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
        options.device = good[i][0];
        cfd_context *context;
        OK(cfd_context_create(&options, &context));
        cfd_context_info info = CFD_CONTEXT_INFO_INIT;
        OK(cfd_context_get_info(context, &info));
        ck_assert_str_eq(info.device, good[i][1]);
        ck_assert_uint_gt(strlen(info.instruction_set), 0);
        ck_assert_uint_gt(strlen(info.gemm), 0);
        if (strcmp(good[i][1], "reference") == 0) {
            ck_assert_str_eq(info.instruction_set, "reference");
            ck_assert_str_eq(info.gemm, "own loops");
        }
        cfd_context_destroy(context);
    }
}
END_TEST

START_TEST(devices_that_are_not_there_are_refused)
{
    cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
    cfd_context *context = NULL;
    const char *const cuda[] = {"cuda", "cuda:0", "cuda:1"};
    for (size_t i = 0; i < 3; i++) {
        options.device = cuda[i];
        FAILS(CFD_ERROR_DEVICE, cuda[i], cfd_context_create(&options, &context));
    }
    const char *const nonsense[] = {"", "CPU", "cudax", "gpu", "cpu:0", "cpu ", "automatic"};
    for (size_t i = 0; i < sizeof nonsense / sizeof nonsense[0]; i++) {
        options.device = nonsense[i];
        FAILS(CFD_ERROR_ARGUMENT, "auto, cpu, cuda", cfd_context_create(&options, &context));
    }
    ck_assert_ptr_null(context);
}
END_TEST

START_TEST(threads_have_a_range)
{
    const int32_t refused[] = {-1, INT32_MIN, 4097, INT32_MAX};
    for (size_t i = 0; i < 4; i++) {
        cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
        options.threads = refused[i];
        cfd_context *context = NULL;
        FAILS(CFD_ERROR_ARGUMENT, "0 to 4096", cfd_context_create(&options, &context));
        ck_assert_ptr_null(context);
    }
    const int32_t accepted[] = {1, 2, 4096};
    for (size_t i = 0; i < 3; i++) {
        cfd_context *context = world_context(accepted[i], NULL);
        cfd_context_info info = CFD_CONTEXT_INFO_INIT;
        OK(cfd_context_get_info(context, &info));
        ck_assert_int_eq(info.threads, accepted[i]);
        cfd_context_destroy(context);
    }
}
END_TEST

START_TEST(versions_and_statuses_have_names)
{
    char expected[32];
    snprintf(expected, sizeof expected, "%d.%d.%d", CFD_VERSION_MAJOR, CFD_VERSION_MINOR, CFD_VERSION_PATCH);
    ck_assert_str_eq(cfd_version(), expected);
    ck_assert_str_eq(CFD_VERSION_STRING, expected);
#if CFD_VERSION_NUMBER < 10000 || CFD_VERSION_NUMBER / 10000 != CFD_VERSION_MAJOR
#error "CFD_VERSION_NUMBER is not for the preprocessor"
#endif
    const char *const names[] = {"CFD_OK",           "CFD_ERROR_ARGUMENT", "CFD_ERROR_CONFIG",
                                 "CFD_ERROR_MEMORY", "CFD_ERROR_FILE",     "CFD_ERROR_FORMAT",
                                 "CFD_ERROR_DATA",   "CFD_ERROR_DEVICE",   "CFD_ERROR_NUMERIC",
                                 "CFD_ERROR_SYSTEM"};
    for (int i = 0; i < 10; i++) {
        ck_assert_str_eq(cfd_status_name((cfd_status)i), names[i]); /* the numbers are pinned */
    }
    ck_assert_str_eq(cfd_status_name((cfd_status)10), "unknown status");
    ck_assert_str_eq(cfd_status_name((cfd_status)-1), "unknown status");
}
END_TEST

/* ---- memory ---- */

START_TEST(half_an_allocator_is_refused)
{
    counted c = {0};
    cfd_context *context = NULL;
    cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
    options.allocator_user = &c;
    options.allocate = counted_allocate;
    FAILS(CFD_ERROR_ARGUMENT, "together or not at all", cfd_context_create(&options, &context));
    options.allocate = NULL;
    options.release = counted_release;
    FAILS(CFD_ERROR_ARGUMENT, "together or not at all", cfd_context_create(&options, &context));
    ck_assert_ptr_null(context);
    ck_assert_int_eq(atomic_load(&c.calls), 0);
}
END_TEST

START_TEST(two_contexts_share_no_memory)
{
    counted a = {0};
    counted b = {0};
    cfd_context *first = counted_context(&a, 2);
    cfd_context *second = counted_context(&b, 2);
    long before = atomic_load(&b.calls);
    cfd_config *config = world_config(NULL);
    cfd_dataset *data = world_data(first);
    cfd_model *model = world_model(first, config, data);
    OK(cfd_train_step(model, NULL, NULL));
    ck_assert_int_eq(atomic_load(&b.calls), before);
    ck_assert_int_gt(atomic_load(&a.live), 10);
    cfd_model_destroy(model);
    cfd_dataset_destroy(data);
    cfd_config_destroy(config);
    cfd_context_destroy(first);
    ck_assert_int_eq(atomic_load(&a.live), 0);
    cfd_context_destroy(second);
    ck_assert_int_eq(atomic_load(&b.live), 0);
}
END_TEST

/* A model may live in another context than its data set: each gives back its own. */
START_TEST(a_model_may_use_a_data_set_of_another_context)
{
    counted a = {0};
    counted b = {0};
    cfd_context *first = counted_context(&a, 1);
    cfd_context *second = counted_context(&b, 1);
    cfd_dataset *data = world_data(first);
    cfd_config *config = world_config(NULL);
    cfd_model *model = world_model(second, config, data);
    cfd_context_destroy(first);
    cfd_dataset_destroy(data);
    cfd_context_destroy(second);
    OK(cfd_train_step(model, NULL, NULL));
    ck_assert_int_gt(atomic_load(&a.live), 0);
    cfd_model_destroy(model);
    ck_assert_int_eq(atomic_load(&a.live), 0);
    ck_assert_int_eq(atomic_load(&b.live), 0);
    cfd_config_destroy(config);
}
END_TEST

/* ---- lifetimes ---- */

enum { CONTEXT, CONFIG, DATASET, MODEL, SCORER, HANDLES };

typedef struct handles {
    cfd_context *context;
    cfd_config *config;
    cfd_dataset *data;
    cfd_model *model;
    cfd_scorer *scorer;
    bool gone[HANDLES];
} handles;

static void destroy(handles *h, int which)
{
    switch (which) {
    case CONTEXT: cfd_context_destroy(h->context); break;
    case CONFIG: cfd_config_destroy(h->config); break;
    case DATASET: cfd_dataset_destroy(h->data); break;
    case MODEL: cfd_model_destroy(h->model); break;
    default: cfd_scorer_release(h->scorer); break;
    }
    h->gone[which] = true;
}

/* Whatever is left works as if all were there. */
static void use(const handles *h)
{
    int32_t user = 5;
    if (!h->gone[SCORER]) {
        float scores[WORLD_ITEMS];
        int32_t best[3];
        OK(cfd_score_users(h->scorer, &user, 1, NULL, 0, scores));
        OK(cfd_recommend(h->scorer, &user, 1, 3, NULL, best, NULL, NULL));
        ck_assert_float_ge(scores[best[0]], scores[best[1]]);
    }
    if (!h->gone[MODEL]) {
        cfd_losses losses = CFD_LOSSES_INIT;
        OK(cfd_train_step(h->model, NULL, &losses));
        ck_assert(isfinite(losses.total));
    }
    if (!h->gone[DATASET]) {
        const int32_t *items;
        size_t n;
        OK(cfd_dataset_user_items(h->data, CFD_SPLIT_TRAIN, user, &items, &n));
        ck_assert_uint_ge(n, 7);
        if (!h->gone[MODEL]) {
            cfd_metrics metrics[3];
            OK(cfd_evaluate(h->model, h->data, NULL, metrics, NULL));
        }
    }
    if (!h->gone[CONTEXT]) {
        cfd_context_info info = CFD_CONTEXT_INFO_INIT;
        OK(cfd_context_get_info(h->context, &info));
        ck_assert_str_eq(info.device, "cpu");
    }
}

START_TEST(handles_may_be_destroyed_in_any_order)
{
    for (int number = 0; number < 120; number++) {
        counted c = {0};
        handles h = {.context = counted_context(&c, 2), .config = world_config(NULL)};
        h.data = world_data(h.context);
        h.model = world_model(h.context, h.config, h.data);
        OK(cfd_scorer_create(h.model, &h.scorer));
        int left[HANDLES] = {CONTEXT, CONFIG, DATASET, MODEL, SCORER};
        int code = number; /* of the permutation, in the factorial number system */
        for (int n = HANDLES; n > 0; n--) {
            int at = code % n;
            code /= n;
            destroy(&h, left[at]);
            memmove(&left[at], &left[at + 1], (size_t)(n - at - 1) * sizeof left[0]);
            use(&h);
        }
        ck_assert_int_eq(atomic_load(&c.live), 0);
    }
}
END_TEST

START_TEST(destroying_nothing_does_nothing)
{
    cfd_context_destroy(NULL);
    cfd_config_destroy(NULL);
    cfd_dataset_destroy(NULL);
    cfd_model_destroy(NULL);
    cfd_scorer_release(NULL);
}
END_TEST

/* ---- messages ---- */

typedef struct other_thread {
    char before[64];
    char after[256];
} other_thread;

static void *fail_elsewhere(void *argument)
{
    other_thread *o = argument;
    snprintf(o->before, sizeof o->before, "%s", cfd_last_error());
    cfd_config *config = NULL;
    if (cfd_config_create(&config) == CFD_OK) {
        (void)cfd_config_set(config, "layers", "-3");
    }
    snprintf(o->after, sizeof o->after, "%s", cfd_last_error());
    cfd_config_destroy(config);
    return NULL;
}

START_TEST(every_thread_has_a_message_of_its_own)
{
    FAILS(CFD_ERROR_ARGUMENT, "config is NULL", cfd_config_create(NULL));
    char mine[256];
    snprintf(mine, sizeof mine, "%s", cfd_last_error());
    other_thread other;
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, fail_elsewhere, &other), 0);
    pthread_join(thread, NULL);
    ck_assert_str_eq(other.before, ""); /* nothing failed there yet */
    ck_assert_ptr_nonnull(strstr(other.after, "layers"));
    ck_assert_str_eq(cfd_last_error(), mine);
    cfd_config *config;
    OK(cfd_config_create(&config)); /* success leaves the message */
    ck_assert_str_eq(cfd_last_error(), mine);
    cfd_config_destroy(config);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("context");
    TCase *t = tcase_create("context");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, no_options_and_the_initialiser_mean_the_same);
    tcase_add_test(t, options_of_an_older_header_end_sooner_and_the_rest_is_default);
    tcase_add_test(t, options_of_a_later_header_are_taken_while_their_new_fields_are_zero);
    tcase_add_test(t, options_that_were_not_set_up_are_refused);
    tcase_add_test(t, answers_are_written_no_further_than_the_callers_struct);
    tcase_add_test(t, devices_are_chosen_by_name);
    tcase_add_test(t, devices_that_are_not_there_are_refused);
    tcase_add_test(t, threads_have_a_range);
    tcase_add_test(t, versions_and_statuses_have_names);
    tcase_add_test(t, half_an_allocator_is_refused);
    tcase_add_test(t, two_contexts_share_no_memory);
    tcase_add_test(t, a_model_may_use_a_data_set_of_another_context);
    tcase_add_test(t, handles_may_be_destroyed_in_any_order);
    tcase_add_test(t, destroying_nothing_does_nothing);
    tcase_add_test(t, every_thread_has_a_message_of_its_own);
    suite_add_tcase(s, t);
    return s;
}

TEST_MAIN(suite)
