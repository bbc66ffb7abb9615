/* SPDX-License-Identifier: Apache-2.0 */
/* The immutable pair of matrices that serving is made of (SPEC 4): score(u, i) = query_u . key_i. */
#ifndef CFD_SERVE_SCORER_H
#define CFD_SERVE_SCORER_H

#include "base/threads.h"
#include "ops/ops.h"

typedef struct scorer {
    const memory_source *memory;
    thread_pool *pool;
    ops *device;          /* for what any number of threads may call at once: scores and sorting out; owned */
    int32_t users, items, width;
    float *queries, *keys; /* users x width, items x width; owned */
    ops_keys *short_keys;  /* NULL, or the keys in a short type, by which lists are found sooner; owned */
    ops_ranker *ranker;    /* NULL, or both matrices in the device's memory, where it scores and makes lists; owned */
} scorer;

/* Takes over `device`, `queries` and `keys` (released by scorer_release), also where it fails. */
cfd_status scorer_init(scorer *s, const memory_source *memory, thread_pool *pool, ops *device, int32_t users,
                       int32_t items, int32_t width, float *queries, float *keys);
/* Prepares for many lists, at about the cost of a few, and moves the work to a device that has memory of its own. On the host
 * lists and scores do not depend on it. Neither matrix may change afterwards. */
cfd_status scorer_prepare(scorer *s);
void scorer_release(scorer *s); /* accepts a zeroed struct */

/* As cfd_score_users and cfd_recommend, arguments already checked. Want of memory is met before anything is written; where
 * a device fails at its scores (the cpu's and the reference's cannot), or has no memory of its own left for them, blocks that
 * were finished before stand in the outputs. */
cfd_status scorer_scores(const scorer *s, const int32_t *users, size_t n_users, const int32_t *items, size_t n_items,
                         float *scores);
cfd_status scorer_recommend(const scorer *s, const int32_t *users, size_t n_users, size_t k, const cfd_filter *filter,
                            int32_t *items, float *scores, int32_t *counts);

#endif
