/* SPDX-License-Identifier: Apache-2.0 */
/* Pairs of ids, listed by their first id: the items of each user, the tags of each item. */
#ifndef CFD_BASE_ID_GROUPS_H
#define CFD_BASE_ID_GROUPS_H

#include "base/memory.h"

/* n pairs in any order, firsts in [0, groups), seconds in [0, bound); both may be NULL where n is 0. offsets (groups + 1)
 * and members (n) are the caller's, uninitialised: members[offsets[g] .. offsets[g + 1]) become the second ids of the pairs
 * whose first id is g, ascending, repeats included. Time is linear in pairs and groups, and least where pairs of the same
 * first id stand together, as they do in files. CFD_ERROR_MEMORY names `purpose`. */
cfd_status ids_group(const memory_source *memory, const char *purpose, const int32_t *firsts, const int32_t *seconds,
                     size_t n, int32_t groups, int32_t bound, int64_t *offsets, int32_t *members);

#endif
