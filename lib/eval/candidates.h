/* SPDX-License-Identifier: Apache-2.0 */
/* Whom a user's held-out items are ranked against. There is one definition, for both protocols: all items but
 * the user's known ones (training; validation too when the test split is evaluated) and but the held-out items
 * of the evaluated split, which are ranked and not ranked against as candidates. A held-out item that stands
 * among the known ones as well (leakage) is ranked all the same. */
#ifndef CFD_EVAL_CANDIDATES_H
#define CFD_EVAL_CANDIDATES_H

#include "data/dataset.h"

/* The user's items that are not candidates: ascending, each once, into `out`; returns how many. The test split
 * is read only where `split` is the test split. */
size_t candidates_excluded(const dataset *data, cfd_split split, int32_t user, int32_t *out);
/* At least as many as candidates_excluded finds. */
size_t candidates_excluded_bound(const dataset *data, cfd_split split, int32_t user);

/* Draws min(wanted, candidates) distinct candidates uniformly, from (seed, user) alone, into `out`; returns how
 * many. Floyd's algorithm over the candidates' order numbers: `table` is a hash set of negatives_slots(wanted,
 * items) entries. */
size_t negatives_draw(uint64_t seed, int32_t user, int32_t items, const int32_t *excluded, size_t n_excluded, int32_t wanted,
                      int32_t *table, int32_t *out);
size_t negatives_slots(int32_t wanted, int32_t items);

#endif
