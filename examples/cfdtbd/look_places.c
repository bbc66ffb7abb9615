/* SPDX-License-Identifier: Apache-2.0 */
/* The places of held-out items among all candidates of their users. Full ranking, as the library's own (SPEC 7): ties count
 * against it. */
#include "look_ranking.h"

#include <stdlib.h>

enum { SEED = 2, MOST_SCORES = 4 << 20 /* of one block of users, 16 MB */ };

int look_items(const look *l, cfd_split split, int32_t user, const int32_t **items, size_t *n)
{
    return cfd_dataset_user_items(l->dataset, split, user, items, n) == CFD_OK ? EXIT_DONE : failed_in_library();
}

/* ---- who and what ---- */

static int count_training(ranking *r)
{
    const look *l = r->l;
    static const cfd_split splits[] = {CFD_SPLIT_TRAIN, CFD_SPLIT_VALIDATION};
    r->item_count = calloc((size_t)l->n_items, sizeof *r->item_count);
    r->user_count = calloc((size_t)l->n_users, sizeof *r->user_count);
    if (!r->item_count || !r->user_count) {
        return out_of_memory();
    }
    for (size_t s = 0; s < (l->merged ? 2u : 1u); s++) {
        for (int32_t u = 0; u < l->n_users; u++) {
            const int32_t *items;
            size_t n;
            if (look_items(l, splits[s], u, &items, &n) != EXIT_DONE) {
                return EXIT_FAILED;
            }
            r->user_count[u] += (int32_t)n;
            for (size_t i = 0; i < n; i++) {
                r->item_count[items[i]]++;
            }
        }
    }
    return EXIT_DONE;
}

static int choose_users(ranking *r)
{
    const look *l = r->l;
    const int32_t *items;
    size_t n;
    r->users = calloc((size_t)l->n_users, sizeof *r->users);
    if (!r->users) {
        return out_of_memory();
    }
    for (int32_t u = 0; u < l->n_users; u++) {
        if (look_items(l, r->split, u, &items, &n) != EXIT_DONE) {
            return EXIT_FAILED;
        }
        if (n > 0) {
            r->users[r->n++] = u;
        }
    }
    r->n = look_sample(r->users, r->n, LOOK_RANK_USERS, SEED);
    r->first = calloc(r->n + 1, sizeof *r->first);
    if (!r->first) {
        return out_of_memory();
    }
    for (size_t i = 0; i < r->n; i++) {
        if (look_items(l, r->split, r->users[i], &items, &n) != EXIT_DONE) {
            return EXIT_FAILED;
        }
        r->first[i + 1] = r->first[i] + n;
    }
    return EXIT_DONE;
}

/* ---- places ---- */

/* How many of the listed items are not below the threshold. */
static int32_t count_listed(const float *scores, const int32_t *items, size_t n, float threshold)
{
    int32_t count = 0;
    for (size_t i = 0; i < n; i++) {
        count += !(scores[items[i]] < threshold);
    }
    return count;
}

/* The place of a held-out item: candidates that are not below it, and the user's held-out items before it. */
static int place_user(const ranking *r, size_t which, const float *scores, int32_t *found)
{
    const int32_t *held;
    const int32_t *known[2];
    size_t n_held;
    size_t n_known[2] = {0, 0};
    if (look_items(r->l, r->split, r->users[which], &held, &n_held) != EXIT_DONE ||
        look_items(r->l, CFD_SPLIT_TRAIN, r->users[which], &known[0], &n_known[0]) != EXIT_DONE ||
        (r->split == CFD_SPLIT_TEST &&
         look_items(r->l, CFD_SPLIT_VALIDATION, r->users[which], &known[1], &n_known[1]) != EXIT_DONE)) {
        return EXIT_FAILED;
    }
    for (size_t h = 0; h < n_held; h++) {
        float threshold = scores[held[h]];
        int32_t place = 0;
        for (int32_t i = 0; i < r->l->n_items; i++) {
            place += !(scores[i] < threshold);
        }
        place -= count_listed(scores, held, n_held, threshold);
        for (size_t s = 0; s < 2; s++) {
            for (size_t i = 0; i < n_known[s]; i++) { /* one that is held out, too, was taken away already */
                bool twice = bsearch(&known[s][i], held, n_held, sizeof *held, look_by_id) ||
                             (s == 1 && bsearch(&known[s][i], known[0], n_known[0], sizeof *held, look_by_id));
                place -= !twice && !(scores[known[s][i]] < threshold);
            }
        }
        for (size_t other = 0; other < n_held; other++) {
            place += scores[held[other]] > threshold || (scores[held[other]] == threshold && other < h);
        }
        found[h] = place;
    }
    return EXIT_DONE;
}

int ranking_find_places(const ranking *r, const cfd_scorer *scorer, int32_t **out)
{
    size_t n_items = (size_t)r->l->n_items;
    size_t block = MOST_SCORES / n_items;
    block = block == 0 ? 1 : block > r->n ? r->n : block;
    float *scores = malloc(block * n_items * sizeof *scores);
    int32_t *found = malloc((r->first[r->n] + 1) * sizeof *found);
    int code = scores && found ? EXIT_DONE : out_of_memory();
    for (size_t at = 0; at < r->n && code == EXIT_DONE; at += block) {
        size_t n = r->n - at < block ? r->n - at : block;
        if (cfd_score_users(scorer, r->users + at, n, NULL, 0, scores) != CFD_OK) {
            code = failed_in_library();
        }
        for (size_t i = 0; i < n && code == EXIT_DONE; i++) {
            code = place_user(r, at + i, scores + i * n_items, found + r->first[at + i]);
        }
    }
    free(scores);
    if (code != EXIT_DONE) {
        free(found);
        return code;
    }
    *out = found;
    return EXIT_DONE;
}

int ranking_begin(ranking *r)
{
    int code = count_training(r);
    return code == EXIT_DONE ? choose_users(r) : code;
}

void ranking_release(ranking *r)
{
    free(r->users);
    free(r->first);
    free(r->item_count);
    free(r->user_count);
}
