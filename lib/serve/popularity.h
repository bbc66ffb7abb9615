/* SPDX-License-Identifier: Apache-2.0 */
/* Ranking by popularity, the yardstick, in the form of a scorer of width 1. */
#ifndef CFD_SERVE_POPULARITY_H
#define CFD_SERVE_POPULARITY_H

#include "data/dataset.h"
#include "serve/snapshot.h"

/* Queries (one for each user) are 1; an item's key is the number of users who have it in training, or (with_validation) in
 * training or validation. */
cfd_status popularity_snapshot(const memory_source *memory, const dataset *data, bool with_validation, snapshot *out);

#endif
