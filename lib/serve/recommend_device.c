/* SPDX-License-Identifier: Apache-2.0 */
/* Lists that a device makes in memory of its own, a chunk of users at a time: here their exclusions are put in order, and
 * what the caller does not want to have is given room. */
#include "serve/recommend_device.h"

#include "serve/lanes.h"

#include <math.h>

enum { CHUNK_USERS = 4096 };

bool recommend_on_device_fits(const recommend_request *asked)
{
    const scorer *s = asked->s;
    return s->ranker && !asked->queries && asked->k <= (size_t)s->device->table->ranker_most_k(s->device);
}

/* The scratch of a chunk. */
typedef struct chunk_room {
    size_t excluded_at, sorted_at, scores_at, counts_at;
} chunk_room;

/* Ends a list before the first score below the least. */
static void end_list(int32_t *items, float *scores, int32_t *count, float least)
{
    while (*count > 0 && scores[*count - 1] < least) {
        --*count;
        items[*count] = -1;
        scores[*count] = -INFINITY;
    }
}

static cfd_status recommend_chunk(const recommend_request *asked, const chunk_room *at, unsigned char *scratch, size_t first,
                                  size_t n)
{
    const scorer *s = asked->s;
    ops_ids *excluded = (ops_ids *)(void *)(scratch + at->excluded_at);
    int32_t *sorted = (int32_t *)(void *)(scratch + at->sorted_at);
    bool some = false;
    for (size_t i = 0; i < n; i++) {
        sorted += filter_order(&asked->filter, first + i, sorted, &excluded[i]);
        some = some || excluded[i].begin != excluded[i].end;
    }
    ops_lists lists = {
        .users = asked->users + first,
        .n_users = (int32_t)n,
        .allowed = asked->filter.allowed.ids,
        .n_allowed = (int32_t)asked->filter.allowed.n,
        .excluded = some ? excluded : NULL,
        .k = (int32_t)asked->k,
        .items = asked->items + first * asked->k,
        .scores = asked->scores ? asked->scores + first * asked->k : (float *)(void *)(scratch + at->scores_at),
        .counts = asked->counts ? asked->counts + first : (int32_t *)(void *)(scratch + at->counts_at),
    };
    TRY(s->device->table->ranker_lists(s->device, s->ranker, &lists));
    for (size_t i = 0; i < n && filter_has_least(&asked->filter); i++) {
        end_list(lists.items + i * asked->k, lists.scores + i * asked->k, &lists.counts[i], asked->filter.asked->min_score);
    }
    return CFD_OK;
}

cfd_status recommend_on_device(const recommend_request *asked)
{
    const scorer *s = asked->s;
    size_t users = asked->n_users < CHUNK_USERS ? asked->n_users : CHUNK_USERS;
    lane_plan plan = {0};
    chunk_room at;
    at.excluded_at = lane_reserve(&plan, users, sizeof(ops_ids));
    at.sorted_at = lane_reserve(&plan, filter_room(&asked->filter, asked->n_users, users), sizeof(int32_t));
    at.scores_at = lane_reserve(&plan, asked->scores ? 0 : users, asked->k * sizeof(float));
    at.counts_at = lane_reserve(&plan, asked->counts ? 0 : users, sizeof(int32_t));
    if (plan.too_large) {
        return fail(CFD_ERROR_MEMORY, "out of memory: the size of a recommendation overflows");
    }
    unsigned char *scratch;
    TRY(memory_allocate(s->memory, plan.bytes, 1, "a recommendation", &scratch));
    cfd_status status = CFD_OK;
    for (size_t first = 0; first < asked->n_users && status == CFD_OK; first += users) {
        size_t left = asked->n_users - first;
        status = recommend_chunk(asked, &at, scratch, first, left < users ? left : users);
    }
    memory_release(s->memory, scratch);
    return status;
}
