/* SPDX-License-Identifier: Apache-2.0 */
/* What the two protocols share: the run, its blocks of users, the layout of a lane's scratch. */
#ifndef CFD_EVAL_RANKING_H
#define CFD_EVAL_RANKING_H

#include "eval/evaluate.h"
#include "eval/metrics.h"
#include "serve/lanes.h"

typedef struct ranking_run {
    const scorer *s;
    const dataset *data;
    const evaluation *what;
    const bipartite *held_out; /* the evaluated split */
    const int32_t *users;      /* those with held-out items, ascending */
    size_t n_users;
    size_t block_users; /* sums are made by block, so this fixes the order of addition; it depends on no thread */
    metric_table table;
    cfd_metrics *sums; /* n_ks of every block */
    /* the most that a block's users have together */
    size_t most_held_out, most_excluded;
    /* offsets in a lane's scratch; a protocol uses what it needs */
    size_t queries_at, keys_at, scores_at, thresholds_at, counts_at, excluded_at, users_at, items_at, order_at, slots_at;
} ranking_run;

/* Each protocol: how many users a block has, its needs of scratch, and a block. */
size_t full_ranking_users(const ranking_run *run);
void full_ranking_plan(ranking_run *run, lane_plan *plan);
cfd_status full_ranking_block(void *argument, unsigned char *scratch, size_t block);
size_t sampled_ranking_users(const ranking_run *run);
void sampled_ranking_plan(ranking_run *run, lane_plan *plan);
cfd_status sampled_ranking_block(void *argument, unsigned char *scratch, size_t block);

static inline const int32_t *ranking_block_users(const ranking_run *run, size_t block, size_t *n)
{
    size_t first = block * run->block_users;
    *n = run->n_users - first < run->block_users ? run->n_users - first : run->block_users;
    return run->users + first;
}

/* How many of n candidates' scores count against a held-out item whose score is the threshold: those that are
 * not below it. So ties count, a candidate's NaN does, and where the item's own score is NaN all do. */
static inline int32_t count_not_below(const float *scores, size_t n, float threshold)
{
    int32_t count = 0;
    for (size_t i = 0; i < n; i++) {
        count += !(scores[i] < threshold);
    }
    return count;
}

static inline const int32_t *held_out_items(const ranking_run *run, int32_t user)
{
    return run->held_out->item_ids + run->held_out->offsets[user];
}

static inline size_t held_out_count(const ranking_run *run, int32_t user)
{
    return (size_t)(run->held_out->offsets[user + 1] - run->held_out->offsets[user]);
}

#endif
