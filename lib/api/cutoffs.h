/* SPDX-License-Identifier: Apache-2.0 */
/* The cut-offs K of the metrics, as options name them. */
#ifndef CFD_API_CUTOFFS_H
#define CFD_API_CUTOFFS_H

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

/* What a caller's "options.ks" and "options.n_ks" stand for: where `ks` is NULL and `n_ks` 0 the defaults 5, 10 and 20, else
 * 1 to 1000 cut-offs, each 1 to 1000, which stay the caller's. */
cfd_status cutoffs_read(const int32_t *ks, size_t n_ks, const int32_t **out, size_t *n);

#endif
