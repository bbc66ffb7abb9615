/* SPDX-License-Identifier: Apache-2.0 */
/* What the suites of scorer and evaluation share: a device whose scores are plain double loops, memory that can
 * run out, random scorers and data sets, made by hand. */
#ifndef TEST_EVAL_WORLD_H
#define TEST_EVAL_WORLD_H

#include "test.h"

#undef fail /* Check has a macro of this name, the library another */

#include "data/dataset.h"
#include "serve/scorer.h"

#include <stdatomic.h>

/* ---- numbers ---- */

static inline uint32_t random_next(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

static inline int32_t random_below(uint64_t *state, int32_t bound)
{
    return (int32_t)(random_next(state) % (uint32_t)bound);
}

/* ---- memory that runs out at the n-th allocation, and knows what was not given back ---- */

typedef struct test_memory {
    atomic_long allocations, live;
    long fail_at; /* counted from 1; 0: never */
} test_memory;

static inline void *test_allocate(void *user, size_t bytes)
{
    test_memory *memory = user;
    if (atomic_fetch_add(&memory->allocations, 1) + 1 == memory->fail_at) {
        return NULL;
    }
    atomic_fetch_add(&memory->live, 1);
    return malloc(bytes);
}

static inline void test_release(void *user, void *pointer)
{
    test_memory *memory = user;
    atomic_fetch_sub(&memory->live, 1);
    free(pointer);
}

/* ---- a device that can only score ---- */

typedef struct test_device {
    ops base;
    atomic_llong scored;   /* how many scores were computed */
    atomic_int fail_after; /* calls until it fails; negative: never */
} test_device;

static inline float test_dot(const float *query, const float *key, int32_t width)
{
    double sum = 0.0;
    for (int32_t c = 0; c < width; c++) {
        sum += (double)query[c] * (double)key[c];
    }
    return (float)sum;
}

static inline cfd_status test_score_block(const ops *o, const float *queries, int64_t n_queries, const float *keys,
                                          int64_t n_keys, int32_t width, float *scores, int64_t ld)
{
    test_device *device = (test_device *)(uintptr_t)o;
    if (atomic_load(&device->fail_after) >= 0 && atomic_fetch_sub(&device->fail_after, 1) == 0) {
        return fail(CFD_ERROR_DEVICE, "the device of this test failed");
    }
    atomic_fetch_add(&device->scored, n_queries * n_keys);
    for (int64_t i = 0; i < n_queries; i++) {
        for (int64_t j = 0; j < n_keys; j++) {
            scores[i * ld + j] = test_dot(queries + i * width, keys + j * width, width);
        }
    }
    return CFD_OK;
}

static inline cfd_status test_score_pairs(const ops *o, const float *row, const float *rows, const int32_t *ids, int64_t n,
                                          int32_t width, float *scores)
{
    for (int64_t i = 0; i < n; i++) {
        TRY(test_score_block(o, row, 1, rows + ids[i] * (int64_t)width, 1, width, scores + i, 1));
    }
    return CFD_OK;
}

static inline void test_device_destroy(ops *o)
{
    (void)o;
}

static const ops_table test_table = {.name = "test",
                                     .destroy = test_device_destroy,
                                     .score_block = test_score_block,
                                     .score_pairs = test_score_pairs};

/* ---- a world: memory, pool, device, scorer, data set ---- */

typedef struct world {
    test_memory memory;
    memory_source source;
    test_device device;
    thread_pool *pool;
    scorer s;
    dataset data;
} world;

/* `values` distinct small integers as coordinates (few: many ties); 0: fractions. */
static inline float *random_matrix(world *w, int32_t rows, int32_t width, int32_t values, uint64_t *state)
{
    float *matrix;
    OK(memory_allocate(&w->source, (size_t)rows * (size_t)width, sizeof *matrix, "a test", &matrix));
    for (int64_t i = 0; i < (int64_t)rows * width; i++) {
        matrix[i] = values > 0 ? (float)(random_below(state, values) - values / 2)
                               : (float)random_next(state) / 2147483648.0f - 0.5f;
    }
    return matrix;
}

static inline void world_open(world *w, int32_t threads, int32_t users, int32_t items, int32_t width, int32_t values,
                              uint64_t seed)
{
    memset(w, 0, sizeof *w);
    w->source = (memory_source){test_allocate, test_release, &w->memory};
    w->device.base.table = &test_table;
    w->device.fail_after = -1;
    uint64_t state = seed;
    OK(threads_create(&w->source, threads, &w->pool));
    float *queries = random_matrix(w, users, width, values, &state);
    float *keys = random_matrix(w, items, width, values, &state);
    OK(scorer_init(&w->s, &w->source, w->pool, &w->device.base, users, items, width, queries, keys));
    w->data.memory = &w->source;
    w->data.users = users;
    w->data.items = items;
    for (int split = 0; split < 3; split++) {
        OK(bipartite_create(&w->source, users, items, NULL, NULL, 0, &w->data.splits[split], NULL));
    }
}

/* A split from n pairs (user, item). */
static inline void world_split(world *w, cfd_split split, const int32_t (*pairs)[2], size_t n)
{
    int32_t *users = calloc(n + 1, sizeof *users);
    int32_t *items = calloc(n + 1, sizeof *items);
    for (size_t i = 0; i < n; i++) {
        users[i] = pairs[i][0];
        items[i] = pairs[i][1];
    }
    bipartite_release(&w->data.splits[split]);
    OK(bipartite_create(&w->source, w->data.users, w->data.items, users, items, n, &w->data.splits[split], NULL));
    free(users);
    free(items);
}

/* A split of n random pairs; item ids favour low ones, so that splits overlap. */
static inline void world_random_split(world *w, cfd_split split, size_t n, uint64_t *state)
{
    int32_t(*pairs)[2] = calloc(n, sizeof *pairs);
    for (size_t i = 0; i < n; i++) {
        pairs[i][0] = random_below(state, w->data.users);
        pairs[i][1] = random_below(state, 1 + random_below(state, w->data.items));
    }
    world_split(w, split, (const int32_t(*)[2])pairs, n);
    free(pairs);
}

/* Ends it; nothing may be left. */
static inline void world_close(world *w)
{
    scorer_release(&w->s);
    for (int split = 0; split < 3; split++) {
        bipartite_release(&w->data.splits[split]);
    }
    threads_destroy(w->pool);
    ck_assert_int_eq(atomic_load(&w->memory.live), 0);
}

#endif
