/* SPDX-License-Identifier: Apache-2.0 */
/* Full ranking: every held-out item against all candidates of its user, and behind the user's better held-out
 * items.
 *
 * No list is sorted but the held-out scores themselves. The rank of the j-th best of them is j plus the number
 * of candidates that are not below it; so it is enough to count, block by block of scores, all items, and to
 * take back the few that are not candidates. Equal held-out items stand behind one another, in whatever order:
 * their ranks are the same numbers. */
#include "eval/candidates.h"
#include "eval/ranking.h"
#include "serve/ids.h"
#include "serve/top_k.h"

#include <string.h>

enum {
    BLOCK_USERS = 192,
    BLOCK_ITEMS = 512,
    PASSES = 8,          /* up to so many thresholds, a vectorised pass for each beats a search for each score */
    TOGETHER_USERS = 12, /* whose held-out items are scored at once, */
    TOGETHER_ITEMS = 32  /* so many of them */
};

/* One user of a block. */
typedef struct ranked_user {
    float *thresholds; /* n, ascending */
    int32_t *counts;   /* n + 1. Few thresholds: [j] counts the candidates not below the j-th; many: [b] counts
                          those that reach exactly b of them */
    size_t n;
    const int32_t *excluded, *excluded_end; /* from the present block of items on */
} ranked_user;

size_t full_ranking_users(const ranking_run *run)
{
    return BLOCK_USERS;
}

void full_ranking_plan(ranking_run *run, lane_plan *plan)
{
    size_t row_bytes = (size_t)run->s->width * sizeof(float);
    run->queries_at = lane_reserve(plan, BLOCK_USERS, row_bytes);
    run->keys_at = lane_reserve(plan, TOGETHER_ITEMS, row_bytes);
    run->scores_at = lane_reserve(plan, BLOCK_USERS, BLOCK_ITEMS * sizeof(float));
    run->thresholds_at = lane_reserve(plan, run->most_held_out, sizeof(float));
    run->counts_at = lane_reserve(plan, run->most_held_out + BLOCK_USERS, sizeof(int32_t));
    run->excluded_at = lane_reserve(plan, run->most_excluded, sizeof(int32_t));
}

/* The thresholds of a block's held-out items, user by user. A product of one row with one row wastes most of
 * score_block's work; so a few users' items are scored for all of these users, and each user's own are kept.
 * Their bits are the same. */
static cfd_status score_held_out(const ranking_run *run, const int32_t *users, size_t n_users, const float *queries,
                                 unsigned char *scratch, float *thresholds)
{
    const scorer *s = run->s;
    float *room = (float *)(void *)(scratch + run->keys_at);
    float *scores = (float *)(void *)(scratch + run->scores_at);
    for (size_t first = 0, end; first < n_users; first = end) {
        size_t n = held_out_count(run, users[first]);
        for (end = first + 1; end < n_users && end - first < TOGETHER_USERS; end++) {
            if (n + held_out_count(run, users[end]) > TOGETHER_ITEMS) {
                break;
            }
            n += held_out_count(run, users[end]);
        }
        /* The list goes on to the next user's: users in between have none. */
        const int32_t *items = held_out_items(run, users[first]);
        size_t owner = first;
        size_t owned_end = held_out_count(run, users[first]);
        for (size_t at = 0; at < n; at += TOGETHER_ITEMS) { /* more than once only where a user is alone */
            size_t count = n - at < TOGETHER_ITEMS ? n - at : TOGETHER_ITEMS;
            const float *keys = ids_rows(items + at, count, s->keys, s->width, room);
            TRY(s->device->table->score_block(s->device, queries + first * (size_t)s->width, (int64_t)(end - first), keys,
                                              (int64_t)count, s->width, scores, TOGETHER_ITEMS));
            for (size_t j = 0; j < count; j++) {
                if (at + j == owned_end) {
                    owned_end += held_out_count(run, users[++owner]);
                }
                *thresholds++ = scores[(owner - first) * TOGETHER_ITEMS + j];
            }
        }
    }
    return CFD_OK;
}

/* Ascending; sorted as integers of the same order, where NaN is -infinity. */
static void sort_thresholds(float *thresholds, int32_t *room, size_t n)
{
    if (n < 2) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        room[i] = float_to_order(thresholds[i]);
    }
    ids_sort(room, n);
    for (size_t i = 0; i < n; i++) {
        thresholds[i] = float_from_order(room[i]);
    }
}

/* How many of the ascending thresholds the score is not below. */
static size_t thresholds_reached(const float *thresholds, size_t n, float score)
{
    size_t low = 0;
    size_t high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (!(score < thresholds[middle])) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Counts items [first, first + n), then takes back those that are not candidates. */
static void count_block(ranked_user *user, const float *scores, int64_t first, size_t n)
{
    bool few = user->n <= PASSES;
    for (size_t j = 0; few && j < user->n; j++) {
        user->counts[j] += count_not_below(scores, n, user->thresholds[j]);
    }
    for (size_t i = 0; !few && i < n; i++) {
        user->counts[thresholds_reached(user->thresholds, user->n, scores[i])]++;
    }
    for (; user->excluded != user->excluded_end && *user->excluded < first + (int64_t)n; user->excluded++) {
        float score = scores[*user->excluded - first];
        size_t reached = thresholds_reached(user->thresholds, user->n, score);
        for (size_t j = 0; few && j < reached; j++) {
            user->counts[j]--;
        }
        if (!few) {
            user->counts[reached]--;
        }
    }
}

/* Turns counts into ranks, ascending: over the counts themselves. */
static const int32_t *ranks_of(ranked_user *user)
{
    size_t n = user->n;
    if (n > PASSES) { /* a candidate that reaches more than j of them reaches the j-th */
        for (size_t b = n; b > 1; b--) {
            user->counts[b - 1] += user->counts[b];
        }
        for (size_t j = 0; j < n; j++) {
            user->counts[j] = user->counts[j + 1];
        }
    }
    for (size_t low = 0, high = n - 1; low < high; low++, high--) { /* the best first */
        int32_t swap = user->counts[low];
        user->counts[low] = user->counts[high];
        user->counts[high] = swap;
    }
    for (size_t j = 0; j < n; j++) {
        user->counts[j] += (int32_t)j;
    }
    return user->counts;
}

cfd_status full_ranking_block(void *argument, unsigned char *scratch, size_t block)
{
    const ranking_run *run = argument;
    const scorer *s = run->s;
    float *scores = (float *)(void *)(scratch + run->scores_at);
    float *thresholds = (float *)(void *)(scratch + run->thresholds_at);
    int32_t *counts = (int32_t *)(void *)(scratch + run->counts_at);
    int32_t *excluded = (int32_t *)(void *)(scratch + run->excluded_at);
    ranked_user ranked[BLOCK_USERS];

    size_t n_users = 0;
    const int32_t *users = ranking_block_users(run, block, &n_users);
    float *queries_room = (float *)(void *)(scratch + run->queries_at);
    const float *queries = ids_rows(users, n_users, s->queries, s->width, queries_room);
    TRY(score_held_out(run, users, n_users, queries, scratch, thresholds));
    for (size_t i = 0; i < n_users; i++) {
        size_t n = held_out_count(run, users[i]);
        sort_thresholds(thresholds, counts, n);
        memset(counts, 0, (n + 1) * sizeof *counts);
        size_t n_excluded = candidates_excluded(run->data, run->what->split, users[i], excluded);
        ranked[i] = (ranked_user){thresholds, counts, n, excluded, excluded + n_excluded};
        thresholds += n;
        counts += n + 1;
        excluded += n_excluded;
    }

    for (int64_t item = 0; item < s->items; item += BLOCK_ITEMS) {
        int64_t n_items = s->items - item < BLOCK_ITEMS ? s->items - item : BLOCK_ITEMS;
        const float *keys = s->keys + (size_t)item * (size_t)s->width;
        TRY(s->device->table->score_block(s->device, queries, (int64_t)n_users, keys, n_items, s->width, scores,
                                          BLOCK_ITEMS));
        for (size_t i = 0; i < n_users; i++) {
            count_block(&ranked[i], scores + i * BLOCK_ITEMS, item, (size_t)n_items);
        }
    }

    cfd_metrics *sums = run->sums + block * run->what->n_ks;
    for (size_t i = 0; i < n_users; i++) {
        metrics_add(&run->table, ranks_of(&ranked[i]), ranked[i].n, 1.0, sums);
    }
    return CFD_OK;
}
