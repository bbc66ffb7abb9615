/* SPDX-License-Identifier: Apache-2.0 */
/* A caller's filter in the form in which lists are made: in ascending order. */
#ifndef CFD_SERVE_FILTER_H
#define CFD_SERVE_FILTER_H

#include "base/memory.h"
#include "ops/ops.h"

/* How many exclusions the n-th user of the request has. */
size_t filter_excluded(const cfd_filter *filter, size_t user);
/* The exclusions of a user in ascending order: the caller's own list where it is so already, else a copy in `room`.
 * Returns how much of the room was used. */
size_t filter_order(const cfd_filter *filter, size_t user, int32_t *room, ops_ids *excluded);
/* The most room that filter_order uses for all of a block of users, over all blocks of so many. */
size_t filter_room(const cfd_filter *filter, size_t n_users, size_t block_users);

/* The items that may be listed. */
typedef struct allowed_items {
    const int32_t *items; /* n, ascending, each once; NULL: all of them */
    size_t n;
    int32_t *owned; /* NULL: `items` is the caller's */
} allowed_items;

/* Of n_items items in all. */
cfd_status allowed_items_init(allowed_items *allowed, const memory_source *memory, const cfd_filter *filter, int32_t n_items);
void allowed_items_release(allowed_items *allowed, const memory_source *memory);

#endif
