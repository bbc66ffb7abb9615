/* SPDX-License-Identifier: Apache-2.0 */
/* The immutable pair of matrices that serving is made of (SPEC 4): score(u, i) = query_u . key_i. */
#ifndef CFD_SERVE_SCORER_H
#define CFD_SERVE_SCORER_H

#include "base/threads.h"
#include "ops/ops.h"
#include "serve/filter.h"

typedef struct scorer {
    const memory_source *memory;
    thread_pool *pool;
    ops *device; /* for what any number of threads may call at once: scores and sorting out; owned */
    int32_t users, items, width;
    const float *queries, *keys; /* users x width, items x width */
    float *owned[2];             /* the same, where they are the scorer's own */
    ops_keys *short_keys;        /* NULL, or the keys in a short type, by which lists are found sooner; owned */
    ops_ranker *ranker;          /* NULL, or both matrices in the device's memory, where it scores and makes lists; owned */
    seen_items seen;             /* what the users have; borrowed, offsets NULL: not known */
} scorer;

/* Takes over `device`, `queries` and `keys` (released by scorer_release), also where it fails. */
cfd_status scorer_init(scorer *s, const memory_source *memory, thread_pool *pool, ops *device, int32_t users, int32_t items,
                       int32_t width, float *queries, float *keys);
/* The same over rows that outlive it. Takes over `device`. */
cfd_status scorer_init_borrowed(scorer *s, const memory_source *memory, thread_pool *pool, ops *device, int32_t users,
                                int32_t items, int32_t width, const float *queries, const float *keys);
/* Prepares for many lists, at about the cost of a few, and moves the work to a device that has memory of its own. On the
 * host lists and scores do not depend on it. Neither matrix may change afterwards. */
cfd_status scorer_prepare(scorer *s);
void scorer_release(scorer *s); /* accepts a zeroed struct */

/* As cfd_score_users and cfd_recommend, arguments already checked. Want of memory is met before anything is written; where
 * a device fails at its scores (the cpu's and the reference's cannot), or has no memory of its own left for them, blocks
 * that were finished before stand in the outputs. */
cfd_status scorer_scores(const scorer *s, const int32_t *users, size_t n_users, const int32_t *items, size_t n_items,
                         float *scores);
cfd_status scorer_recommend(const scorer *s, const int32_t *users, size_t n_users, size_t k, const cfd_filter *filter,
                            int32_t *items, float *scores, int32_t *counts);
/* One score for each of n pairs, as cfd_score_pairs. */
cfd_status scorer_pairs(const scorer *s, const int32_t *users, const int32_t *items, size_t n, float *scores);
/* As scorer_scores, for query rows (n x width, contiguous) that are not those of users. */
cfd_status scorer_row_scores(const scorer *s, const float *queries, size_t n, const int32_t *items, size_t n_items,
                             float *scores);
/* As scorer_recommend, for such rows: always on the host. The filter may not leave out what users have. */
cfd_status scorer_row_recommend(const scorer *s, const float *queries, size_t n, size_t k, const cfd_filter *filter,
                                int32_t *items, float *scores, int32_t *counts);

#endif
