/* SPDX-License-Identifier: Apache-2.0 */
/* Why an item scores as it does for a user: SPEC 4's sum taken apart. */
#ifndef CFD_SERVE_EXPLAIN_H
#define CFD_SERVE_EXPLAIN_H

#include "serve/snapshot.h"

/* The terms of the score, and their sum. */
void explain_parts(const snapshot *s, int32_t user, int32_t item, cfd_explanation *out);
/* What each of n items that the user has adds to it: the score is their sum and what the user brings of its own. Needs
 * nodes. */
void explain_items(const snapshot *s, int32_t user, int32_t item, const int32_t *items, size_t n, float *contributions);

#endif
