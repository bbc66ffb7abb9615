/* SPDX-License-Identifier: Apache-2.0 */
/* The best k items of each user, in blocks of users. Where the device can sort items out by a short type, the few that it
 * cannot exclude are scored and offered to the user's selection. Elsewhere, and for users whose items it cannot sort out, a
 * block of scores, users x items, is computed, offered and forgotten. Scores have the same bits both ways, and a selection
 * does not depend on what else it was offered; so the lists are the same. What a user's filter excludes is never offered.
 * Where only listed items are allowed, only these are scored, all of them. */
#include "serve/ids.h"
#include "serve/lanes.h"
#include "serve/recommend_device.h"
#include "serve/selection.h"

enum {
    MOST_USERS = 384,        /* keys are read once for so many users, */
    MOST_SORTED_USERS = 192, /* for whose rounded rows and lists there is room in a cache */
    LEAST_USERS = 8,
    BLOCK_ITEMS = 256,
    HEAP_ENTRIES = 1 << 18, /* a block's selections together, unless one user's k alone is larger */
    SORT_SHARE = 8,         /* sorting out is tried where k is at most this part of the items, */
    CANDIDATES = 384,       /* and given up where it leaves more than these, and as many again */
    CANDIDATES_OF_K = 4,    /* for each of the k: the first items of a user pass before there is anything to exceed */
    STACK_BYTES = 16384     /* scratch of one user, which then needs no memory */
};

typedef struct recommend_job {
    const recommend_request *asked;
    size_t block_users;
    size_t kept;      /* what a selection holds: k, but no more than there are items */
    int32_t capacity; /* of a user's candidates; 0: nothing is sorted out */
    size_t queries_at, keys_at, scores_at, heaps_at, sorted_at; /* in the scratch */
    size_t candidates_at, candidate_scores_at, sorting_at;
} recommend_job;

static void write_list(const recommend_request *asked, size_t user, selection *one)
{
    size_t found = selection_finish(one, &asked->filter, asked->k, asked->items + user * asked->k,
                                    asked->scores ? asked->scores + user * asked->k : NULL);
    if (asked->counts) {
        asked->counts[user] = (int32_t)found;
    }
}

/* Offers all items to n users of consecutive queries. */
static cfd_status offer_all(const scorer *s, const float *queries, selection *selections, size_t n, float *scores)
{
    for (int64_t item = 0; item < s->items; item += BLOCK_ITEMS) {
        int32_t n_items = s->items - item < BLOCK_ITEMS ? (int32_t)(s->items - item) : BLOCK_ITEMS;
        const float *keys = s->keys + (size_t)item * (size_t)s->width;
        TRY(s->device->table->score_block(s->device, queries, (int64_t)n, keys, n_items, s->width, scores, BLOCK_ITEMS));
        for (size_t i = 0; i < n; i++) {
            selection_offer(&selections[i], scores + i * BLOCK_ITEMS, (int32_t)item, n_items);
        }
    }
    return CFD_OK;
}

/* Scores of n users of consecutive queries for listed items, in rows of BLOCK_ITEMS. */
static cfd_status score_listed(const scorer *s, const float *queries, size_t n, const int32_t *items, size_t n_items,
                               float *keys_room, float *scores)
{
    const ops_table *table = s->device->table;
    if (n == 1) { /* keys are read where they are */
        return table->score_pairs(s->device, queries, s->keys, items, (int64_t)n_items, s->width, scores);
    }
    const float *keys = ids_rows(items, n_items, s->keys, s->width, keys_room);
    return table->score_block(s->device, queries, (int64_t)n, keys, (int64_t)n_items, s->width, scores, BLOCK_ITEMS);
}

/* Offers the allowed items to n users of consecutive queries. */
static cfd_status offer_allowed(const recommend_request *asked, const float *queries, selection *selections, size_t n,
                                float *keys_room, float *scores)
{
    for (size_t at = 0; at < asked->filter.allowed.n; at += BLOCK_ITEMS) {
        const int32_t *items = asked->filter.allowed.ids + at;
        size_t n_items = asked->filter.allowed.n - at < BLOCK_ITEMS ? asked->filter.allowed.n - at : BLOCK_ITEMS;
        TRY(score_listed(asked->s, queries, n, items, n_items, keys_room, scores));
        for (size_t i = 0; i < n; i++) {
            selection_offer_listed(&selections[i], scores + i * BLOCK_ITEMS, items, n_items);
        }
    }
    return CFD_OK;
}

/* Offers each user what sorting out leaves; all items to users for whom it fails. */
static cfd_status offer_candidates(const recommend_job *job, const float *queries, selection *selections, size_t n,
                                   unsigned char *scratch)
{
    const scorer *s = job->asked->s;
    const ops_table *table = s->device->table;
    int32_t *candidates = (int32_t *)(void *)(scratch + job->candidates_at);
    float *scores = (float *)(void *)(scratch + job->candidate_scores_at);
    float *block = (float *)(void *)(scratch + job->scores_at);
    int32_t counts[MOST_USERS];
    ops_ids excluded[MOST_USERS];
    for (size_t i = 0; i < n; i++) {
        excluded[i] = selections[i].excluded;
    }
    ops_sorting sorting = {s->keys,    queries, (int32_t)n, (int32_t)job->kept,       excluded, job->capacity,
                           candidates, scores,  counts,     scratch + job->sorting_at};
    TRY(table->sort_out(s->device, s->short_keys, &sorting));
    for (size_t i = 0, end; i < n; i = end) {
        end = i + 1;
        if (counts[i] >= 0) {
            size_t at = i * (size_t)job->capacity;
            top_k_offer_listed(&selections[i].best, scores + at, (size_t)counts[i], candidates + at);
            continue;
        }
        while (end < n && counts[end] < 0) {
            end++;
        }
        TRY(offer_all(s, queries + i * (size_t)s->width, selections + i, end - i, block));
    }
    return CFD_OK;
}

static cfd_status recommend_block(void *argument, unsigned char *scratch, size_t block)
{
    const recommend_job *job = argument;
    const recommend_request *asked = job->asked;
    const scorer *s = asked->s;
    uint64_t *heaps = (uint64_t *)(void *)(scratch + job->heaps_at);
    int32_t *sorted = (int32_t *)(void *)(scratch + job->sorted_at);
    selection selections[MOST_USERS];

    size_t first_user = block * job->block_users;
    size_t n_users = asked->n_users - first_user < job->block_users ? asked->n_users - first_user : job->block_users;
    for (size_t i = 0; i < n_users; i++) {
        top_k_start(&selections[i].best, heaps + i * job->kept, job->kept);
        sorted += filter_order(&asked->filter, first_user + i, sorted, &selections[i].excluded);
    }
    const float *queries = asked->queries ? asked->queries + first_user * (size_t)s->width
                                          : ids_rows(asked->users + first_user, n_users, s->queries, s->width,
                                                     (float *)(void *)(scratch + job->queries_at));
    float *scores = (float *)(void *)(scratch + job->scores_at);
    if (asked->filter.allowed.ids) {
        TRY(offer_allowed(asked, queries, selections, n_users, (float *)(void *)(scratch + job->keys_at), scores));
    } else if (job->capacity > 0) {
        TRY(offer_candidates(job, queries, selections, n_users, scratch));
    } else {
        TRY(offer_all(s, queries, selections, n_users, scores));
    }
    for (size_t i = 0; i < n_users; i++) {
        write_list(asked, first_user + i, &selections[i]);
    }
    return CFD_OK;
}

/* Enough blocks to share out where users are few, wide products where they are many. */
static size_t users_of_block(size_t n_users, size_t kept, bool sorted)
{
    size_t most = sorted ? MOST_SORTED_USERS : MOST_USERS;
    size_t users = n_users / 16;
    users = users < LEAST_USERS ? LEAST_USERS : users > most ? most : users;
    size_t fit = HEAP_ENTRIES / kept; // NOLINT(clang-analyzer-core.DivideZero): k is at least 1
    users = fit < 1 ? 1 : fit < users ? fit : users;
    return users < n_users ? users : n_users;
}

/* How many candidates of a user are worth scoring; 0: sorting out is not worth it. */
static int32_t candidate_capacity(const recommend_request *asked, size_t kept)
{
    const scorer *s = asked->s;
    if (!s->short_keys || asked->filter.allowed.ids || kept > (size_t)s->items / SORT_SHARE) {
        return 0;
    }
    size_t capacity = CANDIDATES + CANDIDATES_OF_K * kept;
    return capacity < (size_t)s->items ? (int32_t)capacity : s->items;
}

static void plan_scratch(recommend_job *job, lane_plan *plan)
{
    const recommend_request *asked = job->asked;
    const scorer *s = asked->s;
    size_t users = job->block_users;
    size_t row_bytes = (size_t)s->width * sizeof(float);
    job->queries_at = lane_reserve(plan, users > 1 && !asked->queries ? users : 0, row_bytes);
    job->keys_at = lane_reserve(plan, users > 1 && asked->filter.allowed.ids ? BLOCK_ITEMS : 0, row_bytes);
    job->scores_at = lane_reserve(plan, users, BLOCK_ITEMS * sizeof(float));
    job->heaps_at = lane_reserve(plan, users, job->kept * sizeof(uint64_t));
    job->sorted_at = lane_reserve(plan, filter_room(&asked->filter, asked->n_users, users), sizeof(int32_t));
    if (job->capacity > 0) {
        size_t sorting = s->device->table->sort_out_bytes(s->short_keys, (int32_t)users, (int32_t)job->kept, job->capacity);
        job->candidates_at = lane_reserve(plan, users, (size_t)job->capacity * sizeof(int32_t));
        job->candidate_scores_at = lane_reserve(plan, users, (size_t)job->capacity * sizeof(float));
        job->sorting_at = lane_reserve(plan, 1, sorting);
    }
}

static cfd_status recommend_here(recommend_job *job)
{
    _Alignas(MEMORY_ALIGNMENT) unsigned char scratch[STACK_BYTES];
    return recommend_block(job, scratch, 0);
}

static cfd_status recommend_on_host(const recommend_request *asked)
{
    const scorer *s = asked->s;
    size_t most = asked->filter.allowed.n > 0 ? asked->filter.allowed.n : 1;
    recommend_job job = {.asked = asked, .kept = asked->k < most ? asked->k : most};
    job.capacity = candidate_capacity(asked, job.kept);
    job.block_users = users_of_block(asked->n_users, job.kept, job.capacity > 0);
    lane_plan plan = {0};
    plan_scratch(&job, &plan);
    if (asked->n_users == 1 && !plan.too_large && plan.bytes <= STACK_BYTES) {
        return recommend_here(&job);
    }
    return lanes_run(s->memory, s->pool, blocks_of(asked->n_users, job.block_users), &plan, "a recommendation",
                     recommend_block, &job);
}

/* *asked: without its filter. */
static cfd_status answer(recommend_request *asked, const cfd_filter *filter)
{
    const scorer *s = asked->s;
    if (asked->n_users == 0) {
        return CFD_OK;
    }
    TRY(filter_init(&asked->filter, s->memory, filter, asked->users, s->seen, s->items));
    cfd_status status = recommend_on_device_fits(asked) ? recommend_on_device(asked) : recommend_on_host(asked);
    filter_release(&asked->filter, s->memory);
    return status;
}

cfd_status scorer_recommend(const scorer *s, const int32_t *users, size_t n_users, size_t k, const cfd_filter *filter,
                            int32_t *items, float *scores, int32_t *counts)
{
    recommend_request asked = {
        .s = s, .users = users, .n_users = n_users, .k = k, .items = items, .scores = scores, .counts = counts};
    return answer(&asked, filter);
}

cfd_status scorer_row_recommend(const scorer *s, const float *queries, size_t n, size_t k, const cfd_filter *filter,
                                int32_t *items, float *scores, int32_t *counts)
{
    recommend_request asked = {
        .s = s, .queries = queries, .n_users = n, .k = k, .items = items, .scores = scores, .counts = counts};
    return answer(&asked, filter);
}
