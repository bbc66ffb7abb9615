/* SPDX-License-Identifier: Apache-2.0 */
/* A caller's filter in the form in which lists are made: what is left out in ascending order, however many lists say so. */
#ifndef CFD_SERVE_FILTER_H
#define CFD_SERVE_FILTER_H

#include "base/memory.h"
#include "ops/ops.h"

/* Who has what, as the scorer knows it: items of a user ascending. offsets NULL: it does not know. */
typedef struct seen_items {
    const int64_t *offsets; /* users + 1 */
    const int32_t *items;
} seen_items;

/* Ids in ascending order, each once. */
typedef struct id_set {
    const int32_t *ids;
    size_t n;
    int32_t *owned; /* NULL: `ids` is the caller's, which was in order */
} id_set;

typedef struct list_filter {
    const cfd_filter *asked; /* may be NULL */
    const int32_t *users;    /* of the request */
    seen_items seen;         /* offsets NULL: what users have is not left out */
    id_set allowed;          /* the only items that may be listed. ids NULL: all of them, n in number */
    id_set denied;
} list_filter;

/* For a request of these users. `seen` is looked at where the caller asks for it; n_items: of the scorer. */
cfd_status filter_init(list_filter *filter, const memory_source *memory, const cfd_filter *asked, const int32_t *users,
                       seen_items seen, int32_t n_items);
void filter_release(list_filter *filter, const memory_source *memory);

/* What the n-th user of the request may not be shown, in ascending order (an id may repeat): in the place where a list
 * stands so already, else in `room`. Returns how much of the room was used. */
size_t filter_order(const list_filter *filter, size_t user, int32_t *room, ops_ids *excluded);
/* How many there are, repeats included. */
size_t filter_count(const list_filter *filter, size_t user);
/* The most room that filter_order uses for all of a block of users, over all blocks of so many. */
size_t filter_room(const list_filter *filter, size_t n_users, size_t block_users);

/* Does a list end at a least score? */
static inline bool filter_has_least(const list_filter *filter)
{
    return filter->asked && filter->asked->has_min_score != 0;
}

#endif
