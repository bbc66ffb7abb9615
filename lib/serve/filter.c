/* SPDX-License-Identifier: Apache-2.0 */
/* A caller's filter in the form in which lists are made: see filter.h. The filter of a request may be NULL. */
#include "serve/filter.h"

#include "serve/ids.h"

#include <string.h>

size_t filter_excluded(const cfd_filter *filter, size_t user)
{
    const int64_t *offsets = filter ? filter->exclude_offsets : NULL;
    return offsets ? (size_t)(offsets[user + 1] - offsets[user]) : 0;
}

size_t filter_order(const cfd_filter *filter, size_t user, int32_t *room, ops_ids *excluded)
{
    size_t n = filter_excluded(filter, user);
    if (n == 0) {
        *excluded = (ops_ids){room, room};
        return 0;
    }
    const int32_t *list = filter->exclude_items + filter->exclude_offsets[user];
    bool ordered = ids_ascend(list, n);
    if (!ordered) {
        memcpy(room, list, n * sizeof *room);
        ids_sort(room, n);
    }
    list = ordered ? list : room;
    *excluded = (ops_ids){list, list + n};
    return ordered ? 0 : n;
}

size_t filter_room(const cfd_filter *filter, size_t n_users, size_t block_users)
{
    size_t most = 0;
    size_t sum = 0;
    for (size_t user = 0; user < n_users && filter && filter->exclude_offsets; user++) {
        sum = user % block_users == 0 ? 0 : sum;
        size_t n = filter_excluded(filter, user);
        if (n > 0 && !ids_ascend(filter->exclude_items + filter->exclude_offsets[user], n)) {
            sum += n;
        }
        most = sum > most ? sum : most;
    }
    return most;
}

static bool each_once(const int32_t *ids, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (ids[i] <= ids[i - 1]) {
            return false;
        }
    }
    return true;
}

/* Of ascending ids, each once, in place. Returns how many. */
static size_t drop_repeats(int32_t *ids, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || ids[i] != ids[kept - 1]) {
            ids[kept++] = ids[i];
        }
    }
    return kept;
}

cfd_status allowed_items_init(allowed_items *allowed, const memory_source *memory, const cfd_filter *filter, int32_t n_items)
{
    *allowed = (allowed_items){NULL, (size_t)n_items, NULL};
    if (!filter || !filter->allow_items) {
        return CFD_OK;
    }
    allowed->items = filter->allow_items;
    allowed->n = filter->n_allow_items;
    if (each_once(allowed->items, allowed->n)) {
        return CFD_OK;
    }
    TRY(memory_allocate(memory, allowed->n, sizeof *allowed->owned, "the allowed items", &allowed->owned));
    memcpy(allowed->owned, allowed->items, allowed->n * sizeof *allowed->owned);
    ids_sort(allowed->owned, allowed->n);
    allowed->n = drop_repeats(allowed->owned, allowed->n);
    allowed->items = allowed->owned;
    return CFD_OK;
}

void allowed_items_release(allowed_items *allowed, const memory_source *memory)
{
    memory_release(memory, allowed->owned);
}
