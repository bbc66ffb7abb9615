/* SPDX-License-Identifier: Apache-2.0 */
/* Ids of a caller: see ids.h. */
#include "base/ids.h"

cfd_status ids_check(const char *name, const int32_t *ids, size_t n, int32_t bound)
{
    for (size_t i = 0; i < n; i++) {
        if (ids[i] < 0 || ids[i] >= bound) {
            return fail(CFD_ERROR_ARGUMENT, "%s[%zu] is %d: 0 to %d wanted", name, i, (int)ids[i], (int)bound - 1);
        }
    }
    return CFD_OK;
}
