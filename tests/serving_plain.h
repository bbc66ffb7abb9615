/* SPDX-License-Identifier: Apache-2.0 */
/* A backend with memory of its own, as the scorer sees it, that makes lists in the plainest way, and checks what it is
 * asked. */
#ifndef CFD_TESTS_SERVING_PLAIN_H
#define CFD_TESTS_SERVING_PLAIN_H

#include "test.h" /* first: it takes back a name that the library defines */

#include "ops_support.h"

enum { PLAIN_MOST_K = 20, PLAIN_MOST_USERS = 4096 };

typedef struct plain_ranker {
    const float *queries, *keys;
    int32_t users, items, width;
} plain_ranker;

static int lists_until_failure = -1; /* negative: never */
static int lists_made;

static inline cfd_status plain_create(ops *o, const float *queries, int32_t users, const float *keys, int32_t items,
                                      int32_t width, ops_ranker **out)
{
    plain_ranker *made = get_memory(1, sizeof *made);
    *made = (plain_ranker){queries, keys, users, items, width};
    *out = (ops_ranker *)(void *)made;
    return CFD_OK;
}

static inline void plain_destroy(ops *o, ops_ranker *ranker)
{
    free(ranker);
}

static inline int32_t plain_most_k(const ops *o)
{
    return PLAIN_MOST_K;
}

static inline float plain_score(const plain_ranker *r, int32_t user, int32_t item)
{
    float sum = 0;
    for (int32_t c = 0; c < r->width; c++) {
        sum += r->queries[(int64_t)user * r->width + c] * r->keys[(int64_t)item * r->width + c];
    }
    return sum;
}

static inline cfd_status plain_scores(const ops *o, ops_ranker *ranker, const int32_t *users, size_t n_users,
                                      const int32_t *items, size_t n_items, float *scores)
{
    const plain_ranker *r = (const void *)ranker;
    for (size_t u = 0; u < n_users; u++) {
        for (size_t i = 0; i < n_items; i++) {
            scores[u * n_items + i] = plain_score(r, users[u], items ? items[i] : (int32_t)i);
        }
    }
    return CFD_OK;
}

/* Which of n items these are; they must ascend. */
static inline void mark(const ops_ids *ids, char *marked, int32_t n)
{
    memset(marked, 0, (size_t)n);
    for (const int32_t *at = ids->begin; at != ids->end; at++) {
        if (at != ids->begin && at[-1] > *at) {
            ck_abort_msg("exclusions do not ascend");
        }
        marked[*at] = 1;
    }
}

/* Puts an item where it belongs in a user's list. */
static inline void insert(const ops_lists *what, int32_t *items, float *scores, int32_t *count, int32_t item, float score)
{
    score = isnan(score) ? -INFINITY : score;
    int32_t at = *count;
    while (at > 0 && scores[at - 1] < score) {
        at--;
    }
    for (int32_t i = *count < what->k ? *count : what->k - 1; i > at; i--) {
        items[i] = items[i - 1];
        scores[i] = scores[i - 1];
    }
    if (at < what->k) {
        items[at] = item;
        scores[at] = score;
        *count += *count < what->k;
    }
}

static inline cfd_status plain_lists(const ops *o, ops_ranker *ranker, const ops_lists *what)
{
    const plain_ranker *r = (const void *)ranker;
    ck_assert_int_le(what->n_users, PLAIN_MOST_USERS);
    ck_assert_int_le(what->k, PLAIN_MOST_K);
    if (lists_until_failure >= 0 && lists_until_failure-- == 0) {
        return fail(CFD_ERROR_DEVICE, "the device of this test failed");
    }
    lists_made++;
    int32_t n_items = what->allowed ? what->n_allowed : r->items;
    const ops_ids none = {NULL, NULL};
    char *out = get_memory((size_t)r->items, 1);
    for (int32_t u = 0; u < what->n_users; u++) {
        int32_t *items = what->items + (int64_t)u * what->k;
        float *scores = what->scores + (int64_t)u * what->k;
        what->counts[u] = 0;
        mark(what->excluded ? &what->excluded[u] : &none, out, r->items);
        for (int32_t i = 0; i < what->k; i++) {
            items[i] = -1;
            scores[i] = -INFINITY;
        }
        for (int32_t i = 0; i < n_items; i++) {
            int32_t item = what->allowed ? what->allowed[i] : i;
            if (u == 0 && what->allowed && i > 0 && what->allowed[i - 1] >= item) {
                ck_abort_msg("allowed items do not ascend, or repeat");
            }
            if (!out[item]) {
                insert(what, items, scores, &what->counts[u], item, plain_score(r, what->users[u], item));
            }
        }
    }
    free(out);
    return CFD_OK;
}

#endif
