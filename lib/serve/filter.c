/* SPDX-License-Identifier: Apache-2.0 */
/* Filters: see filter.h. A user's exclusions come from three lists: the caller's for this user, the items that the user has,
 * and the items that are denied to all. Mostly one of them is all there is, and is used where it stands. */
#include "serve/filter.h"

#include "serve/ids.h"

#include <string.h>

enum { SOURCES = 3 };

/* ---- the request's ---- */

static bool each_once(const int32_t *ids, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (ids[i] <= ids[i - 1]) {
            return false;
        }
    }
    return true;
}

static cfd_status set_init(id_set *set, const memory_source *memory, const int32_t *ids, size_t n, const char *what)
{
    *set = (id_set){ids, n, NULL};
    if (each_once(ids, n)) {
        return CFD_OK;
    }
    TRY(memory_allocate(memory, n, sizeof *set->owned, what, &set->owned));
    memcpy(set->owned, ids, n * sizeof *ids);
    set->n = ids_sort_once(set->owned, n);
    set->ids = set->owned;
    return CFD_OK;
}

cfd_status filter_init(list_filter *filter, const memory_source *memory, const cfd_filter *asked, const int32_t *users,
                       seen_items seen, int32_t n_items)
{
    *filter = (list_filter){.asked = asked, .users = users, .allowed = {NULL, (size_t)n_items, NULL}};
    if (!asked) {
        return CFD_OK;
    }
    filter->seen = asked->exclude_seen ? seen : filter->seen;
    if (asked->allow_items) {
        TRY(set_init(&filter->allowed, memory, asked->allow_items, asked->n_allow_items, "the allowed items"));
    }
    if (asked->deny_items) {
        cfd_status status = set_init(&filter->denied, memory, asked->deny_items, asked->n_deny_items, "the denied items");
        if (status != CFD_OK) {
            filter_release(filter, memory);
            return status;
        }
    }
    return CFD_OK;
}

void filter_release(list_filter *filter, const memory_source *memory)
{
    memory_release(memory, filter->allowed.owned);
    memory_release(memory, filter->denied.owned);
    filter->allowed.owned = filter->denied.owned = NULL;
}

/* ---- a user's ---- */

static ops_ids of_user(const int64_t *offsets, const int32_t *items, size_t user)
{
    return offsets && offsets[user] < offsets[user + 1] ? (ops_ids){items + offsets[user], items + offsets[user + 1]}
                                                        : (ops_ids){NULL, NULL};
}

static size_t length(ops_ids list)
{
    return list.begin ? (size_t)(list.end - list.begin) : 0;
}

/* The lists that are not empty; only the first may be out of order. Returns how many there are. */
static int sources(const list_filter *filter, size_t user, ops_ids lists[SOURCES], bool *ordered)
{
    const cfd_filter *asked = filter->asked;
    const ops_ids all[SOURCES] = {
        asked ? of_user(asked->exclude_offsets, asked->exclude_items, user) : (ops_ids){NULL, NULL},
        filter->seen.offsets ? of_user(filter->seen.offsets, filter->seen.items, (size_t)filter->users[user])
                             : (ops_ids){NULL, NULL},
        {filter->denied.ids, filter->denied.ids ? filter->denied.ids + filter->denied.n : NULL},
    };
    int n = 0;
    for (int s = 0; s < SOURCES; s++) {
        if (length(all[s]) > 0) {
            lists[n++] = all[s];
        }
    }
    *ordered = length(all[0]) == 0 || ids_ascend(all[0].begin, length(all[0]));
    return n;
}

/* Merges ascending lists into `to`; returns its end. */
static int32_t *merge(ops_ids *lists, int n, int32_t *to)
{
    for (;;) {
        int least = -1;
        for (int s = 0; s < n; s++) {
            if (lists[s].begin != lists[s].end && (least < 0 || *lists[s].begin < *lists[least].begin)) {
                least = s;
            }
        }
        if (least < 0) {
            return to;
        }
        *to++ = *lists[least].begin++;
    }
}

size_t filter_order(const list_filter *filter, size_t user, int32_t *room, ops_ids *excluded)
{
    ops_ids lists[SOURCES];
    bool ordered;
    int n = sources(filter, user, lists, &ordered);
    int32_t *to = room;
    if (!ordered) {
        size_t first = length(lists[0]);
        memcpy(to, lists[0].begin, first * sizeof *to);
        ids_sort(to, first);
        lists[0] = (ops_ids){to, to + first};
        to += first;
    }
    if (n <= 1) {
        *excluded = n == 1 ? lists[0] : (ops_ids){room, room};
    } else {
        int32_t *end = merge(lists, n, to);
        *excluded = (ops_ids){to, end};
        to = end;
    }
    return (size_t)(to - room);
}

size_t filter_count(const list_filter *filter, size_t user)
{
    ops_ids lists[SOURCES];
    bool ordered;
    int n = sources(filter, user, lists, &ordered);
    size_t sum = 0;
    for (int i = 0; i < n; i++) {
        sum += length(lists[i]);
    }
    return sum;
}

size_t filter_room(const list_filter *filter, size_t n_users, size_t block_users)
{
    size_t most = 0;
    size_t sum = 0;
    for (size_t user = 0; user < n_users && (filter->asked || filter->seen.offsets); user++) {
        ops_ids lists[SOURCES];
        bool ordered;
        int n = sources(filter, user, lists, &ordered);
        sum = user % block_users == 0 ? 0 : sum;
        sum += ordered ? 0 : length(lists[0]);
        for (int s = 0; n > 1 && s < n; s++) {
            sum += length(lists[s]);
        }
        most = sum > most ? sum : most;
    }
    return most;
}
