/* SPDX-License-Identifier: Apache-2.0 */
/* Sampled ranking: each held-out item by itself against a few candidates of its user, drawn for that user. A user's figure is
 * the mean over the held-out items. Only the scores that are needed are computed. */
#include "eval/candidates.h"
#include "eval/ranking.h"
#include "serve/ids.h"

/* Keys gathered at a time: what stays in the first cache levels until they are multiplied. */
enum { GATHERED = 32 };

static size_t negatives_bound(const ranking_run *run)
{
    return (size_t)(run->what->negatives < run->s->items ? run->what->negatives : run->s->items);
}

void sampled_ranking_plan(ranking_run *run, lane_plan *plan)
{
    run->keys_at = lane_reserve(plan, GATHERED, (size_t)run->s->width * sizeof(float));
    run->scores_at = lane_reserve(plan, negatives_bound(run), sizeof(float));
    run->thresholds_at = lane_reserve(plan, run->most_held_out, sizeof(float));
    run->excluded_at = lane_reserve(plan, run->most_excluded, sizeof(int32_t));
    run->negatives_at = lane_reserve(plan, negatives_bound(run), sizeof(int32_t));
    run->slots_at = lane_reserve(plan, negatives_slots(run->what->negatives, run->s->items), sizeof(int32_t));
}

static cfd_status score_items(const scorer *s, int32_t user, const int32_t *items, size_t n, float *room, float *scores)
{
    const float *query = s->queries + (size_t)user * (size_t)s->width;
    for (size_t at = 0; at < n; at += GATHERED) {
        size_t count = n - at < GATHERED ? n - at : GATHERED;
        const float *keys = ids_rows(items + at, count, s->keys, s->width, room);
        TRY(s->device->table->score_block(s->device, query, 1, keys, (int64_t)count, s->width, scores + at,
                                          (int64_t)count));
    }
    return CFD_OK;
}

cfd_status sampled_ranking_block(void *argument, unsigned char *scratch, size_t block)
{
    const ranking_run *run = argument;
    const evaluation *what = run->what;
    float *keys = (float *)(void *)(scratch + run->keys_at);
    float *scores = (float *)(void *)(scratch + run->scores_at);
    float *thresholds = (float *)(void *)(scratch + run->thresholds_at);
    int32_t *excluded = (int32_t *)(void *)(scratch + run->excluded_at);
    int32_t *negatives = (int32_t *)(void *)(scratch + run->negatives_at);
    int32_t *slots = (int32_t *)(void *)(scratch + run->slots_at);
    cfd_metrics *sums = run->sums + block * what->n_ks;

    size_t end = run->n_users - block * EVALUATE_USERS < EVALUATE_USERS ? run->n_users : (block + 1) * EVALUATE_USERS;
    for (size_t i = block * EVALUATE_USERS; i < end; i++) {
        int32_t user = run->users[i];
        size_t n = held_out_count(run, user);
        size_t n_excluded = candidates_excluded(run->data, what->split, user, excluded);
        size_t n_negatives = negatives_draw(what->seed, user, run->s->items, excluded, n_excluded, what->negatives, slots,
                                            negatives);
        TRY(held_out_thresholds(run, user, thresholds));
        TRY(score_items(run->s, user, negatives, n_negatives, keys, scores));
        for (size_t j = 0; j < n; j++) {
            int32_t rank = count_not_below(scores, n_negatives, thresholds[j]);
            metrics_add(&run->table, &rank, 1, 1.0 / (double)n, sums);
        }
    }
    return CFD_OK;
}
