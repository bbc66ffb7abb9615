/* SPDX-License-Identifier: Apache-2.0 */
/* What the two protocols share: the run, its blocks of users, the layout of a lane's scratch. */
#ifndef CFD_EVAL_RANKING_H
#define CFD_EVAL_RANKING_H

#include "eval/evaluate.h"
#include "eval/metrics.h"
#include "serve/lanes.h"

enum {
    EVALUATE_USERS = 192, /* of a block: sums are made by block, so this fixes the order of addition */
    EVALUATE_ITEMS = 512
};

typedef struct ranking_run {
    const scorer *s;
    const dataset *data;
    const evaluation *what;
    const bipartite *held_out; /* the evaluated split */
    const int32_t *users;      /* those with held-out items, ascending */
    size_t n_users;
    metric_table table;
    cfd_metrics *sums; /* n_ks of every block */
    /* the most that a block's users have together */
    size_t most_held_out, most_excluded;
    /* offsets in a lane's scratch; a protocol uses what it needs */
    size_t queries_at, scores_at, thresholds_at, counts_at, excluded_at, negatives_at, slots_at, keys_at;
} ranking_run;

/* Each protocol: its needs of scratch, and a block of users. */
void full_ranking_plan(ranking_run *run, lane_plan *plan);
cfd_status full_ranking_block(void *run, unsigned char *scratch, size_t block);
void sampled_ranking_plan(ranking_run *run, lane_plan *plan);
cfd_status sampled_ranking_block(void *run, unsigned char *scratch, size_t block);

/* The user's scores of the held-out items as thresholds: a candidate counts against an item if !(score < threshold), which
 * lets ties count and a candidate's NaN. An item's own NaN becomes -infinity: every candidate counts. */
cfd_status held_out_thresholds(const ranking_run *run, int32_t user, float *thresholds);

/* How many of n scores are not below the threshold. */
static inline int32_t count_not_below(const float *scores, size_t n, float threshold)
{
    int32_t count = 0;
    for (size_t i = 0; i < n; i++) {
        count += !(scores[i] < threshold);
    }
    return count;
}

static inline size_t held_out_count(const ranking_run *run, int32_t user)
{
    return (size_t)(run->held_out->offsets[user + 1] - run->held_out->offsets[user]);
}

#endif
