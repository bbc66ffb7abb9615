/* SPDX-License-Identifier: Apache-2.0 */
/* Where held-out items stand in full rankings: within look*.c. */
#ifndef LOOK_RANKING_H
#define LOOK_RANKING_H

#include "look.h"

/* What stays the same for both rankings. */
typedef struct ranking {
    const look *l;
    cfd_split split;
    int32_t *users; /* n, ascending */
    size_t n;
    size_t *first;       /* n + 1: where each user's held-out items begin */
    int32_t *item_count; /* training interactions of every item */
    int32_t *user_count; /* and of each of the users */
} ranking;

/* The items of a user. */
int look_items(const look *l, cfd_split split, int32_t user, const int32_t **items, size_t *n);
/* Fills a ranking that has l and split: counts, users, first. Returns EXIT_DONE, or EXIT_FAILED after its message. */
int ranking_begin(ranking *r);
void ranking_release(ranking *r);
/* Of every held-out item of the users its place among the candidates, from 0, in the order of the data set; the caller's to
 * free. */
int ranking_find_places(const ranking *r, const cfd_scorer *scorer, int32_t **out);

#endif
