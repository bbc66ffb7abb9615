/* SPDX-License-Identifier: Apache-2.0 */
/* How much each part of the model says in the scores of the items that it lists; and the draw of samples. */
#include "look.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLE_SEED = 20240607 };

/* ---- samples ---- */

/* SplitMix64: a sample must not depend on the run's seed, so that runs can be compared. */
static uint64_t next_number(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

int look_by_id(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a;
    int32_t y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

size_t look_sample(int32_t *chosen, size_t n, size_t wanted, uint64_t seed)
{
    uint64_t state = SAMPLE_SEED + seed;
    if (n <= wanted) {
        return n;
    }
    for (size_t i = 0; i < wanted; i++) {
        size_t other = i + (size_t)(next_number(&state) % (n - i));
        int32_t kept = chosen[other];
        chosen[other] = chosen[i];
        chosen[i] = kept;
    }
    qsort(chosen, wanted, sizeof *chosen, look_by_id);
    return wanted;
}

/* ---- lists of some users ---- */

typedef struct lists {
    int32_t *users, *items, *counts, *excluded;
    int64_t *offsets;
    size_t n;
} lists;

static void release_lists(lists *s)
{
    free(s->users);
    free(s->items);
    free(s->counts);
    free(s->excluded);
    free(s->offsets);
}

static int choose_users(const look *l, lists *s)
{
    s->users = calloc((size_t)l->n_users, sizeof *s->users);
    if (!s->users) {
        return out_of_memory();
    }
    for (int32_t u = 0; u < l->n_users; u++) {
        const int32_t *items;
        size_t n;
        if (cfd_dataset_user_items(l->dataset, CFD_SPLIT_TRAIN, u, &items, &n) != CFD_OK) {
            return failed_in_library();
        }
        if (n > 0) {
            s->users[s->n++] = u;
        }
    }
    s->n = look_sample(s->users, s->n, LOOK_SHARE_USERS, 0);
    return EXIT_DONE;
}

/* What the users have in train and validation is not listed. */
static int exclude_known(const look *l, lists *s)
{
    static const cfd_split known[] = {CFD_SPLIT_TRAIN, CFD_SPLIT_VALIDATION};
    s->offsets = calloc(s->n + 1, sizeof *s->offsets);
    if (!s->offsets) {
        return out_of_memory();
    }
    for (int pass = 0; pass < 2; pass++) { /* counts, then fills */
        size_t total = 0;
        for (size_t i = 0; i < s->n; i++) {
            for (size_t split = 0; split < 2; split++) {
                const int32_t *items;
                size_t n;
                if (cfd_dataset_user_items(l->dataset, known[split], s->users[i], &items, &n) != CFD_OK) {
                    return failed_in_library();
                }
                if (pass == 1 && n > 0) {
                    memcpy(s->excluded + total, items, n * sizeof *items);
                }
                total += n;
            }
            s->offsets[i + 1] = (int64_t)total;
        }
        if (pass == 0 && !(s->excluded = malloc((total + 1) * sizeof *s->excluded))) {
            return out_of_memory();
        }
    }
    return EXIT_DONE;
}

static int make_lists(const look *l, const cfd_scorer *scorer, lists *s)
{
    cfd_filter filter = CFD_FILTER_INIT;
    int code = choose_users(l, s);
    if (code == EXIT_DONE && s->n > 0) {
        code = exclude_known(l, s);
    }
    if (code != EXIT_DONE || s->n == 0) {
        return code;
    }
    s->items = malloc(s->n * LOOK_K * sizeof *s->items);
    s->counts = malloc(s->n * sizeof *s->counts);
    if (!s->items || !s->counts) {
        return out_of_memory();
    }
    filter.exclude_offsets = s->offsets;
    filter.exclude_items = s->excluded;
    return cfd_recommend(scorer, s->users, s->n, LOOK_K, &filter, s->items, NULL, s->counts) == CFD_OK ? EXIT_DONE
                                                                                                       : failed_in_library();
}

/* ---- their scores, taken apart ---- */

static void add_score(look_shares *shares, const cfd_explanation *why, size_t n_roles)
{
    double values[LOOK_PARTS];
    double sum = 0.0;
    size_t n = 0;
    values[n++] = why->base;
    for (size_t r = 0; r < n_roles; r++) {
        values[n++] = why->common[r];
        values[n++] = why->differential[r];
    }
    values[n++] = why->fused;
    for (size_t i = 0; i < n; i++) {
        sum += fabs(values[i]);
    }
    for (size_t i = 0; i < n; i++) {
        shares->parts[i].contribution += values[i];
        shares->parts[i].share += sum > 0.0 ? fabs(values[i]) / sum : 0.0;
    }
    shares->n_scores++;
}

int look_find_shares(look *l, const cfd_scorer *scorer)
{
    look_shares *shares = &l->shares;
    lists s = {0};
    size_t n_roles = 0;
    while (cfd_scorer_role(scorer, n_roles)) {
        n_roles++;
    }
    shares->n_parts = 2 + 2 * n_roles;
    int code = make_lists(l, scorer, &s);
    for (size_t i = 0; i < s.n && code == EXIT_DONE; i++) {
        for (int32_t k = 0; k < s.counts[i] && code == EXIT_DONE; k++) {
            cfd_explanation why = CFD_EXPLANATION_INIT;
            int32_t item = s.items[i * LOOK_K + (size_t)k];
            if (cfd_explain(scorer, s.users[i], item, &why, NULL, 0, 0, NULL, NULL) == CFD_OK) {
                add_score(shares, &why, n_roles);
            } else {
                code = failed_in_library();
            }
        }
    }
    for (size_t i = 0; i < shares->n_parts && shares->n_scores > 0; i++) {
        shares->parts[i].share /= (double)shares->n_scores;
        shares->parts[i].contribution /= (double)shares->n_scores;
    }
    shares->n_users = s.n;
    release_lists(&s);
    return code;
}
