/* SPDX-License-Identifier: Apache-2.0 */
/* Sampled ranking: each held-out item by itself against a few candidates of its user, drawn for that user. A
 * user's figure is the mean over the held-out items. Only the scores that are needed are computed.
 *
 * What these cost is reading the rows. User by user, every score needs another key from far away; so a block's pairs
 * are scored item by item: each key is read once for all of the block's users, whose queries stay in the cache. */
#include "eval/candidates.h"
#include "eval/ranking.h"

#include <string.h>

enum {
    MOST_USERS = 384, /* their queries stay in the second cache level */
    MOST_DRAWN = 1 << 16,
    DIGIT_BITS = 11, /* of an item id, in sorting */
    DIGITS = 1 << DIGIT_BITS
};

static size_t most_drawn(const ranking_run *run)
{
    return (size_t)(run->what->negatives < run->s->items ? run->what->negatives : run->s->items);
}

size_t sampled_ranking_users(const ranking_run *run)
{
    size_t fit = MOST_DRAWN / (most_drawn(run) + 1);
    return fit < 1 ? 1 : fit < MOST_USERS ? fit : MOST_USERS;
}

void sampled_ranking_plan(ranking_run *run, lane_plan *plan)
{
    size_t pairs;
    if (!checked_multiply(run->block_users, most_drawn(run), &pairs) || !checked_add(pairs, run->most_held_out, &pairs)) {
        pairs = SIZE_MAX; /* lane_reserve refuses it */
    }
    run->users_at = lane_reserve(plan, pairs, sizeof(int32_t));
    run->items_at = lane_reserve(plan, pairs, sizeof(int32_t));
    run->scores_at = lane_reserve(plan, pairs, sizeof(float));
    run->order_at = lane_reserve(plan, pairs, 2 * sizeof(uint32_t));
    run->excluded_at = lane_reserve(plan, run->most_excluded, sizeof(int32_t));
    run->slots_at = lane_reserve(plan, negatives_slots(run->what->negatives, run->s->items), sizeof(int32_t));
}

/* Where a user's pairs are: the drawn candidates, then the held-out items. */
typedef struct user_pairs {
    size_t first, drawn, held_out;
} user_pairs;

static user_pairs list_pairs(const ranking_run *run, int32_t user, size_t first, unsigned char *scratch)
{
    const evaluation *what = run->what;
    int32_t *pair_users = (int32_t *)(void *)(scratch + run->users_at) + first;
    int32_t *pair_items = (int32_t *)(void *)(scratch + run->items_at) + first;
    int32_t *excluded = (int32_t *)(void *)(scratch + run->excluded_at);
    int32_t *slots = (int32_t *)(void *)(scratch + run->slots_at);
    size_t n_excluded = candidates_excluded(run->data, what->split, user, excluded);
    user_pairs own = {first, 0, held_out_count(run, user)};
    own.drawn = negatives_draw(what->seed, user, run->s->items, excluded, n_excluded, what->negatives, slots, pair_items);
    memcpy(pair_items + own.drawn, held_out_items(run, user), own.held_out * sizeof *pair_items);
    for (size_t p = 0; p < own.drawn + own.held_out; p++) {
        pair_users[p] = user;
    }
    return own;
}

/* The pairs' numbers, sorted by item: digit by digit, the lowest first. `room` has place for 2 n; the result stands in
 * one half of it. */
static const uint32_t *order_by_item(const int32_t *items, size_t n, int32_t n_items, uint32_t *room)
{
    uint32_t *from = room;
    uint32_t *to = room + n;
    for (size_t p = 0; p < n; p++) {
        from[p] = (uint32_t)p;
    }
    for (int shift = 0; shift < 31 && (n_items - 1) >> shift > 0; shift += DIGIT_BITS) {
        uint32_t ends[DIGITS] = {0};
        for (size_t p = 0; p < n; p++) {
            ends[(items[p] >> shift) % DIGITS]++;
        }
        for (size_t digit = 1; digit < DIGITS; digit++) {
            ends[digit] += ends[digit - 1];
        }
        for (size_t i = n; i > 0; i--) {
            to[--ends[(items[from[i - 1]] >> shift) % DIGITS]] = from[i - 1];
        }
        uint32_t *swap = from;
        from = to;
        to = swap;
    }
    return from;
}

static cfd_status score_pairs(const ranking_run *run, const int32_t *users, const int32_t *items, size_t n,
                              const uint32_t *order, float *scores)
{
    const scorer *s = run->s;
    for (size_t first = 0, end; first < n; first = end) {
        int32_t item = items[order[first]];
        int32_t run_users[MOST_USERS];
        float run_scores[MOST_USERS];
        for (end = first; end < n && end - first < MOST_USERS && items[order[end]] == item; end++) {
            run_users[end - first] = users[order[end]];
        }
        TRY(s->device->table->score_pairs(s->device, s->keys + (size_t)item * (size_t)s->width, s->queries, run_users,
                                          (int64_t)(end - first), s->width, run_scores));
        for (size_t i = first; i < end; i++) {
            scores[order[i]] = run_scores[i - first];
        }
    }
    return CFD_OK;
}

cfd_status sampled_ranking_block(void *argument, unsigned char *scratch, size_t block)
{
    const ranking_run *run = argument;
    float *scores = (float *)(void *)(scratch + run->scores_at);
    user_pairs pairs[MOST_USERS];
    size_t n_pairs = 0;

    size_t n_users = 0;
    const int32_t *users = ranking_block_users(run, block, &n_users);
    for (size_t i = 0; i < n_users; i++) {
        pairs[i] = list_pairs(run, users[i], n_pairs, scratch);
        n_pairs += pairs[i].drawn + pairs[i].held_out;
    }
    const int32_t *pair_users = (const int32_t *)(void *)(scratch + run->users_at);
    const int32_t *pair_items = (const int32_t *)(void *)(scratch + run->items_at);
    const uint32_t *order = order_by_item(pair_items, n_pairs, run->s->items, (uint32_t *)(void *)(scratch + run->order_at));
    TRY(score_pairs(run, pair_users, pair_items, n_pairs, order, scores));

    cfd_metrics *sums = run->sums + block * run->what->n_ks;
    for (size_t i = 0; i < n_users; i++) {
        const float *drawn = scores + pairs[i].first;
        for (size_t j = 0; j < pairs[i].held_out; j++) {
            int32_t rank = count_not_below(drawn, pairs[i].drawn, drawn[pairs[i].drawn + j]);
            metrics_add(&run->table, &rank, 1, 1.0 / (double)pairs[i].held_out, sums);
        }
    }
    return CFD_OK;
}
