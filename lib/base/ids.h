/* SPDX-License-Identifier: Apache-2.0 */
/* Ids that a caller hands over: checked before anything is looked up by them. */
#ifndef CFD_BASE_IDS_H
#define CFD_BASE_IDS_H

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

/* CFD_ERROR_ARGUMENT unless all n ids are from 0 to bound - 1. The message names the array, the position, the id and the
 * range. */
cfd_status ids_check(const char *name, const int32_t *ids, size_t n, int32_t bound);

#endif
