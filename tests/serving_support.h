/* SPDX-License-Identifier: Apache-2.0 */
/* What suites of serving share: scorers on every backend, random requests, and their oracle, a full sort. */
#ifndef CFD_TESTS_SERVING_SUPPORT_H
#define CFD_TESTS_SERVING_SUPPORT_H

#include "serving_plain.h"

#include "serve/scorer.h"

/* ---- scorers on every backend ---- */

enum backend { ON_CPU, ON_REFERENCE, ON_PLAIN, ON_CUDA, ALL_BACKENDS };

typedef struct served {
    thread_pool *pool;
    ops_table table; /* of ON_PLAIN */
    scorer s;
} served;

/* False where there is no such backend, or it is not to be tested. Takes over the matrices. */
static inline bool served_open(served *d, enum backend backend, int32_t users, int32_t items, int32_t width, float *queries,
                               float *keys)
{
    static const char *const names[] = {"cpu", "reference", "plain", "cuda"};
    const char *only = getenv("TEST_BACKEND");
    if ((only && strcmp(only, names[backend]) != 0) || (backend == ON_CUDA && !cuda_plugin_folder())) {
        free(queries);
        free(keys);
        return false;
    }
    log_sink silent = {NULL, NULL};
    ops *device;
    OK(threads_create(&memory_default, 2, &d->pool));
    if (backend == ON_CUDA) {
        device = ops_create_cuda_for_test(&memory_default, d->pool);
    } else if (backend == ON_CPU) {
        OK(ops_create_cpu(&memory_default, d->pool, silent, NULL, &device));
    } else {
        OK(ops_create_reference(&memory_default, d->pool, silent, &device));
    }
    if (backend == ON_PLAIN) {
        d->table = *device->table;
        d->table.ranker_create = plain_create;
        d->table.ranker_destroy = plain_destroy;
        d->table.ranker_most_k = plain_most_k;
        d->table.ranker_scores = plain_scores;
        d->table.ranker_lists = plain_lists;
        device->table = &d->table;
    }
    note_backend(names[backend]);
    float *own_queries;
    float *own_keys;
    OK(memory_allocate(&memory_default, (size_t)users * (size_t)width, sizeof(float), "a test", &own_queries));
    OK(memory_allocate(&memory_default, (size_t)items * (size_t)width, sizeof(float), "a test", &own_keys));
    memcpy(own_queries, queries, (size_t)users * (size_t)width * sizeof(float));
    memcpy(own_keys, keys, (size_t)items * (size_t)width * sizeof(float));
    free(queries);
    free(keys);
    OK(scorer_init(&d->s, &memory_default, d->pool, device, users, items, width, own_queries, own_keys));
    OK(scorer_prepare(&d->s));
    ck_assert((d->s.ranker != NULL) == (backend >= ON_PLAIN));
    return true;
}

static inline void served_close(served *d)
{
    scorer_release(&d->s);
    threads_destroy(d->pool);
}

/* Integers from -3 to 3: many ties. */
static inline float *integers(int64_t n)
{
    float *x = get_memory((size_t)n, sizeof *x);
    for (int64_t i = 0; i < n; i++) {
        x[i] = (float)(random_below(7) - 3);
    }
    return x;
}

static inline bool open_integers(served *d, enum backend backend, int32_t users, int32_t items, int32_t width)
{
    float *queries = integers((int64_t)users * width);
    return served_open(d, backend, users, items, width, queries, integers((int64_t)items * width));
}

/* ---- requests and their oracle ---- */

typedef struct request {
    int32_t *users;
    size_t n_users, k;
    int64_t *offsets;
    int32_t *excluded, *allowed;
    cfd_filter filter;
} request;

/* Users repeat; exclusions: about this many of each user, none for every fifth; allowed: in any order, with repeats;
 * negative: all items are. */
static inline request make_request(const scorer *s, size_t n_users, size_t k, int32_t exclusions, int32_t allowed)
{
    request r = {.n_users = n_users, .k = k, .filter = CFD_FILTER_INIT};
    r.users = get_memory(n_users, sizeof *r.users);
    r.offsets = get_memory(n_users + 1, sizeof *r.offsets);
    r.excluded = get_memory(n_users * (size_t)(exclusions + 1), sizeof *r.excluded);
    r.allowed = get_memory((size_t)(allowed < 0 ? 0 : allowed), sizeof *r.allowed);
    r.offsets[0] = 0;
    for (size_t u = 0; u < n_users; u++) {
        r.users[u] = u == 1 ? r.users[0] : random_below(s->users);
        int32_t n = exclusions == 0 || u % 5 == 3 ? 0 : 1 + random_below(exclusions);
        for (int32_t i = 0; i < n; i++) {
            r.excluded[r.offsets[u] + i] = random_below(s->items);
        }
        r.offsets[u + 1] = r.offsets[u] + n;
    }
    for (int32_t i = 0; i < allowed; i++) {
        r.allowed[i] = random_below(s->items);
    }
    r.filter.exclude_offsets = exclusions > 0 ? r.offsets : NULL;
    r.filter.exclude_items = r.excluded;
    r.filter.allow_items = allowed >= 0 ? r.allowed : NULL;
    r.filter.n_allow_items = allowed >= 0 ? (size_t)allowed : 0;
    return r;
}

static inline void request_free(request *r)
{
    free(r->users);
    free(r->offsets);
    free(r->excluded);
    free(r->allowed);
}

typedef struct ranked {
    float score;
    int32_t item;
} ranked;

static int compare_ranked(const void *a, const void *b)
{
    const ranked *x = a;
    const ranked *y = b;
    return x->score != y->score ? (x->score < y->score) - (x->score > y->score) : x->item - y->item;
}

/* What user `u` of the request may have, best first; scores are those of all items. */
static inline int32_t rank_all(const scorer *s, const request *r, size_t u, const float *scores, ranked *all)
{
    char *may = get_memory((size_t)s->items, 1);
    memset(may, r->filter.allow_items == NULL, (size_t)s->items);
    for (size_t i = 0; i < r->filter.n_allow_items; i++) {
        may[r->allowed[i]] = 1;
    }
    for (int64_t i = r->offsets[u]; i < r->offsets[u + 1]; i++) {
        may[r->excluded[i]] = 0;
    }
    for (size_t i = 0; i < r->filter.n_deny_items; i++) {
        may[r->filter.deny_items[i]] = 0;
    }
    if (r->filter.exclude_seen) {
        for (int64_t i = s->seen.offsets[r->users[u]]; i < s->seen.offsets[r->users[u] + 1]; i++) {
            may[s->seen.items[i]] = 0;
        }
    }
    int32_t n = 0;
    for (int32_t item = 0; item < s->items; item++) {
        float score = isnan(scores[item]) ? -INFINITY : scores[item];
        if (may[item] && (!r->filter.has_min_score || score >= r->filter.min_score)) {
            all[n++] = (ranked){isnan(scores[item]) ? -INFINITY : scores[item], item};
        }
    }
    qsort(all, (size_t)n, sizeof *all, compare_ranked);
    free(may);
    return n;
}

/* A list is that of the full sort, where `tolerance` is 0. Else what stands at a place has nearly the score that belongs
 * there: then only items whose scores are as near have changed places. */
static inline void check_list(const scorer *s, const request *r, size_t u, const float *scores, float tolerance,
                              const int32_t *items, const float *listed_scores, int32_t count)
{
    ranked *all = get_memory((size_t)s->items, sizeof *all);
    char *seen = get_memory((size_t)s->items, 1);
    memset(seen, 0, (size_t)s->items);
    int32_t n = rank_all(s, r, u, scores, all);
    ck_assert_int_eq(count, (size_t)n < r->k ? n : (int32_t)r->k);
    for (size_t i = 0; i < r->k; i++) {
        float found = listed_scores[i];
        bool good = i < (size_t)count ? (tolerance > 0 ? items[i] >= 0 && items[i] < s->items && !seen[items[i]]
                                                       : items[i] == all[i].item) &&
                                            (found == all[i].score || fabsf(found - all[i].score) <= tolerance) &&
                                            (i == 0 || listed_scores[i - 1] > found ||
                                             (listed_scores[i - 1] == found && items[i - 1] < items[i]))
                                      : items[i] == -1 && found == -INFINITY;
        if (!good) {
            ck_abort_msg("user %zu of the request, place %zu: item %d, %.9g; not %d, %.9g", u, i, (int)items[i],
                         (double)found, i < (size_t)n ? (int)all[i].item : -1,
                         i < (size_t)n ? (double)all[i].score : -INFINITY);
        }
        if (i < (size_t)count) {
            float own = isnan(scores[items[i]]) ? -INFINITY : scores[items[i]];
            ck_assert(own == found || fabsf(own - found) <= tolerance);
            seen[items[i]] = 1;
        }
    }
    if (tolerance > 0) { /* nothing was listed that must not be */
        for (int32_t i = 0; i < n; i++) {
            seen[all[i].item] = 0;
        }
        for (int32_t item = 0; item < s->items; item++) {
            ck_assert(!seen[item]);
        }
    }
    free(seen);
    free(all);
}

static inline void check_request(const scorer *s, const request *r, float tolerance)
{
    int32_t *items = get_memory(r->n_users * r->k, sizeof *items);
    float *scores = unset_floats(r->n_users * r->k);
    int32_t *counts = get_memory(r->n_users, sizeof *counts);
    float *all = unset_floats((size_t)s->items);
    OK(scorer_recommend(s, r->users, r->n_users, r->k, &r->filter, items, scores, counts));
    for (size_t u = 0; u < r->n_users; u++) {
        OK(scorer_scores(s, &r->users[u], 1, NULL, 0, all));
        check_list(s, r, u, all, tolerance, items + u * r->k, scores + u * r->k, counts[u]);
    }
    int32_t *alone = get_memory(r->n_users * r->k, sizeof *alone);
    OK(scorer_recommend(s, r->users, r->n_users, r->k, &r->filter, alone, NULL, NULL));
    ck_assert_mem_eq(alone, items, r->n_users * r->k * sizeof *alone);
    free(alone);
    free(items);
    free(scores);
    free(counts);
    free(all);
}

static inline void check(const scorer *s, size_t n_users, size_t k, int32_t exclusions, int32_t allowed)
{
    request r = make_request(s, n_users, k, exclusions, allowed);
    check_request(s, &r, 0);
    request_free(&r);
}

#endif
