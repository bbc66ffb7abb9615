/* SPDX-License-Identifier: Apache-2.0 */
/* One scorer, many threads: what each of them gets is, bit by bit, what it would get alone. */
#define _XOPEN_SOURCE 700 /* mkstemp */
#include "test.h"

#include "io/safetensors.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

enum { USERS = 120, ITEMS = 700, WIDTH = 40, ASKED = 30, LISTED = 25, K = 12, CALLERS = 6, ROUNDS = 25 };

/* Everything that a scorer says about one set of questions. */
typedef struct answers {
    float scores[ASKED * ITEMS], listed[ASKED * LISTED], one[LISTED], list_scores[ASKED * K];
    int32_t items[ASKED * K], counts[ASKED];
    cfd_metrics full[2], sampled[2];
    size_t n_users;
} answers;

typedef struct caller {
    const cfd_scorer *scorer;
    const cfd_dataset *data;
    int number;              /* its questions */
    const answers *expected; /* NULL: this is what is expected */
    answers got;
    bool same;
    char failure[256]; /* Check's assertions are the main thread's */
    atomic_int *ready;
} caller;

static cfd_status ask(caller *c)
{
    answers *a = &c->got;
    int32_t users[ASKED];
    int32_t items[LISTED];
    int64_t offsets[ASKED + 1] = {0};
    int32_t excluded[ASKED * 3];
    for (int32_t i = 0; i < ASKED; i++) {
        users[i] = (i * 7 + c->number * 31) % USERS;
        offsets[i + 1] = 3 * (i + 1);
        for (int32_t j = 0; j < 3; j++) {
            excluded[3 * i + j] = (i * 11 + (3 - j) * 97 + c->number) % ITEMS; /* in no order */
        }
    }
    for (int32_t i = 0; i < LISTED; i++) {
        items[i] = (i * 53 + c->number * 17) % ITEMS;
    }
    cfd_filter filter = CFD_FILTER_INIT;
    filter.exclude_offsets = offsets;
    filter.exclude_items = excluded;
    const int32_t ks[] = {5, 20};
    cfd_evaluate_options options = CFD_EVALUATE_OPTIONS_INIT;
    options.ks = ks;
    options.n_ks = 2;
    options.seed = (uint64_t)c->number + 1;
    cfd_status status = cfd_score_users(c->scorer, users, ASKED, NULL, 0, a->scores);
    status = status ? status : cfd_score_users(c->scorer, users, ASKED, items, LISTED, a->listed);
    status = status ? status : cfd_score_users(c->scorer, users, 1, items, LISTED, a->one);
    status = status ? status : cfd_recommend(c->scorer, users, ASKED, K, &filter, a->items, a->list_scores, a->counts);
    status = status ? status : cfd_evaluate_scorer(c->scorer, c->data, &options, a->full, &a->n_users);
    options.protocol = CFD_PROTOCOL_SAMPLED;
    return status ? status : cfd_evaluate_scorer(c->scorer, c->data, &options, a->sampled, NULL);
}

static void *call_again_and_again(void *argument)
{
    caller *c = argument;
    atomic_fetch_add(c->ready, 1);
    while (atomic_load(c->ready) < CALLERS) { /* all begin at once */
    }
    c->same = true;
    for (int round = 0; round < ROUNDS && c->same; round++) {
        memset(&c->got, 0, sizeof c->got);
        cfd_status status = ask(c);
        c->same = status == CFD_OK && memcmp(&c->got, c->expected, sizeof c->got) == 0;
        if (!c->same) {
            snprintf(c->failure, sizeof c->failure, "caller %d, round %d: %s", c->number, round,
                     status == CFD_OK ? "other bits" : cfd_last_error());
        }
    }
    /* A failure's message is the failing thread's own. */
    int32_t none = -1 - c->number;
    char wanted[32];
    snprintf(wanted, sizeof wanted, "users[0] is %d:", (int)none);
    if (cfd_score_users(c->scorer, &none, 1, NULL, 0, c->got.scores) != CFD_ERROR_ARGUMENT ||
        !strstr(cfd_last_error(), wanted)) {
        c->same = false;
        snprintf(c->failure, sizeof c->failure, "caller %d: not its own message: %s", c->number, cfd_last_error());
    }
    return NULL;
}

/* ---- a scorer of random rows, through a model file; a data set with a test item for each user ---- */

static float *random_rows(size_t n, uint32_t state)
{
    float *rows = malloc(n * sizeof *rows);
    ck_assert_ptr_nonnull(rows);
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        rows[i] = (float)(state >> 8) / 8388608.0f - 1.0f;
    }
    return rows;
}

static cfd_scorer *open_scorer(cfd_context *context, uint32_t seed)
{
    char path[] = "scorer-threads-XXXXXX";
    int file = mkstemp(path);
    ck_assert_int_ge(file, 0);
    close(file);
    float *queries = random_rows((size_t)USERS * WIDTH, 1 + seed);
    float *keys = random_rows((size_t)ITEMS * WIDTH, 2);
    const safetensors_entry metadata[] = {
        {"format", "cfdtbd-model"}, {"format_version", "1"}, {"steps_done", "0"},           {"n_users", "120"},
        {"n_items", "700"},         {"roles", ""},           {"config.embedding_dim", "40"}};
    const safetensor tensors[] = {{"serve.query", "F32", {USERS, WIDTH}, 2, queries, (size_t)USERS * WIDTH * sizeof(float)},
                                  {"serve.key", "F32", {ITEMS, WIDTH}, 2, keys, (size_t)ITEMS * WIDTH * sizeof(float)}};
    OK(safetensors_write(&memory_default, path, tensors, 2, metadata, sizeof metadata / sizeof *metadata));
    cfd_scorer *scorer;
    OK(cfd_scorer_load(context, path, &scorer));
    unlink(path);
    free(queries);
    free(keys);
    return scorer;
}

static cfd_dataset *open_data(cfd_context *context)
{
    cfd_dataset *data;
    OK(cfd_dataset_create(context, USERS, ITEMS, &data));
    for (int32_t u = 0; u < USERS; u++) {
        const int32_t users[] = {u, u};
        const int32_t train[] = {u % ITEMS, (u * 13 + 5) % ITEMS};
        const int32_t test[] = {(u * 29 + 300) % ITEMS, (u * 3 + 650) % ITEMS};
        OK(cfd_dataset_add_interactions(data, CFD_SPLIT_TRAIN, users, train, 2));
        OK(cfd_dataset_add_interactions(data, CFD_SPLIT_TEST, users, test, 2));
    }
    return data;
}

static const struct {
    const char *device;
    int32_t threads;
} contexts[] = {{"cpu", 1}, {"cpu", 3}, {"reference", 2}};

START_TEST(any_number_of_threads_may_ask_one_scorer_at_once)
{
    cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
    options.device = contexts[_i].device;
    options.threads = contexts[_i].threads;
    cfd_context *context;
    OK(cfd_context_create(&options, &context));
    cfd_scorer *scorer = open_scorer(context, 0);
    cfd_dataset *data = open_data(context);

    atomic_int ready = 0;
    static answers alone[CALLERS];
    static caller callers[CALLERS];
    for (int i = 0; i < CALLERS; i++) {
        callers[i] = (caller){.scorer = scorer, .data = data, .number = i, .expected = &alone[i], .ready = &ready};
        OK(ask(&callers[i]));
        alone[i] = callers[i].got;
        ck_assert_int_eq(alone[i].counts[0], K);
        ck_assert_uint_eq(alone[i].n_users, USERS);
    }
    ck_assert_mem_ne(alone[0].scores, alone[1].scores, sizeof alone[0].scores); /* their questions differ */

    pthread_t threads[CALLERS];
    for (int i = 0; i < CALLERS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, call_again_and_again, &callers[i]), 0);
    }
    for (int i = 0; i < CALLERS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    }
    for (int i = 0; i < CALLERS; i++) {
        ck_assert_msg(callers[i].same, "%s", callers[i].failure);
    }
    cfd_scorer_release(scorer);
    cfd_dataset_destroy(data);
    cfd_context_destroy(context);
}
END_TEST

/* ---- a service that swaps its scorer ---- */

enum { SERVERS = 16, SWAPS = 60 };

/* The current scorer, and what each of the two that take turns answers. */
typedef struct shelf {
    pthread_mutex_t lock;
    cfd_scorer *current;
    float expected[2][ITEMS];
    atomic_bool ended;
    atomic_int answered, wrong;
} shelf;

static cfd_scorer *take(shelf *s)
{
    pthread_mutex_lock(&s->lock);
    cfd_scorer *scorer = cfd_scorer_retain(s->current);
    pthread_mutex_unlock(&s->lock);
    return scorer;
}

static void *serve(void *argument)
{
    shelf *s = argument;
    const int32_t user = 5;
    float scores[ITEMS];
    while (!atomic_load(&s->ended)) {
        cfd_scorer *scorer = take(s);
        cfd_status status = cfd_score_users(scorer, &user, 1, NULL, 0, scores);
        cfd_scorer_release(scorer);
        bool right = status == CFD_OK && (memcmp(scores, s->expected[0], sizeof scores) == 0 ||
                                          memcmp(scores, s->expected[1], sizeof scores) == 0);
        atomic_fetch_add(right ? &s->answered : &s->wrong, 1);
    }
    return NULL;
}

START_TEST(requests_end_on_the_scorer_they_began_on)
{
    static shelf s = {.lock = PTHREAD_MUTEX_INITIALIZER};
    cfd_context *context;
    OK(cfd_context_create(NULL, &context));
    const int32_t user = 5;
    for (int k = 0; k < 2; k++) {
        cfd_scorer *scorer = open_scorer(context, (uint32_t)k);
        OK(cfd_score_users(scorer, &user, 1, NULL, 0, s.expected[k]));
        cfd_scorer_release(scorer);
    }
    ck_assert_mem_ne(s.expected[0], s.expected[1], sizeof s.expected[0]);
    s.current = open_scorer(context, 0);
    pthread_t threads[SERVERS];
    for (int i = 0; i < SERVERS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, serve, &s), 0);
    }
    for (int swap = 1; swap <= SWAPS; swap++) {
        cfd_scorer *fresh = open_scorer(context, (uint32_t)swap % 2);
        pthread_mutex_lock(&s.lock);
        cfd_scorer *old = s.current;
        s.current = fresh;
        pthread_mutex_unlock(&s.lock);
        cfd_scorer_release(old);
    }
    atomic_store(&s.ended, true);
    for (int i = 0; i < SERVERS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    }
    cfd_scorer_release(s.current);
    cfd_context_destroy(context);
    ck_assert_int_eq(atomic_load(&s.wrong), 0);
    ck_assert_int_gt(atomic_load(&s.answered), SERVERS);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("scorer, many threads");
    TCase *t = tcase_create("threads");
    tcase_set_timeout(t, 300);
    tcase_add_loop_test(t, any_number_of_threads_may_ask_one_scorer_at_once, 0, sizeof contexts / sizeof *contexts);
    tcase_add_test(t, requests_end_on_the_scorer_they_began_on);
    suite_add_tcase(s, t);
    return s;
}

TEST_MAIN(suite)
