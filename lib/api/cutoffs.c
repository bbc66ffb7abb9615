/* SPDX-License-Identifier: Apache-2.0 */
/* Cut-offs: see cutoffs.h. */
#include "api/cutoffs.h"

enum { MOST_KS = 1000, LARGEST_K = 1000 };

static const int32_t default_ks[] = {5, 10, 20};

cfd_status cutoffs_read(const int32_t *ks, size_t n_ks, const int32_t **out, size_t *n)
{
    if (!ks && n_ks != 0) {
        return fail(CFD_ERROR_ARGUMENT, "options.ks is NULL, but n_ks is %zu", n_ks);
    }
    if (!ks) {
        *out = default_ks;
        *n = sizeof default_ks / sizeof *default_ks;
        return CFD_OK;
    }
    if (n_ks == 0 || n_ks > MOST_KS) {
        return fail(CFD_ERROR_ARGUMENT, "options.n_ks is %zu: 1 to %d wanted", n_ks, MOST_KS);
    }
    for (size_t i = 0; i < n_ks; i++) {
        if (ks[i] < 1 || ks[i] > LARGEST_K) {
            return fail(CFD_ERROR_ARGUMENT, "options.ks[%zu] is %d: 1 to %d wanted", i, (int)ks[i], LARGEST_K);
        }
    }
    *out = ks;
    *n = n_ks;
    return CFD_OK;
}
