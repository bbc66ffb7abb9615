/* SPDX-License-Identifier: Apache-2.0 */
/* Scores of listed pairs of users and items, far fewer than users x items. */
#ifndef CFD_EVAL_PAIRS_H
#define CFD_EVAL_PAIRS_H

#include "serve/scorer.h"

/* scores[p] = query of users[p] . key of items[p], for p < n. `order` is room for n numbers. A score's bits
 * depend on its two rows alone, and may differ in the last places from those of score_block. */
void pairs_score(const scorer *s, const int32_t *users, const int32_t *items, size_t n, uint32_t *order, float *scores);

#endif
