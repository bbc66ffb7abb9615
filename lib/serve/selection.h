/* SPDX-License-Identifier: Apache-2.0 */
/* A list in the making: the best k so far, and what may not be in it. */
#ifndef CFD_SERVE_SELECTION_H
#define CFD_SERVE_SELECTION_H

#include "serve/filter.h"
#include "serve/top_k.h"

/* The selection, and what is excluded from the present item on. */
typedef struct selection {
    top_k best;
    ops_ids excluded;
} selection;

/* Offers items [first, first + n) without the excluded ones. Ids must ascend from call to call. */
void selection_offer(selection *one, const float *scores, int32_t first, int32_t n);
/* Offers listed items, ascending, without the excluded ones. */
void selection_offer_listed(selection *one, const float *scores, const int32_t *items, size_t n);
/* Writes k items, best first, padded with -1 and -infinity; scores may be NULL. Returns how many items there are. */
size_t selection_finish(selection *one, const list_filter *filter, size_t k, int32_t *items, float *scores);

#endif
