/* SPDX-License-Identifier: Apache-2.0 */
/* The best k items of each user, in blocks of users. Where the device can sort items out by a short type, the few that it
 * cannot exclude are scored and offered to the user's selection. Elsewhere, and for users whose items it cannot sort out, a
 * block of scores, users x items, is computed, offered and forgotten. Scores have the same bits both ways, and a selection
 * does not depend on what else it was offered; so the lists are the same. What a user's filter excludes is never offered. */
#include "serve/ids.h"
#include "serve/lanes.h"
#include "serve/scorer.h"
#include "serve/top_k.h"

#include <math.h>

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
    const scorer *s;
    const int32_t *users;
    size_t n_users, block_users;
    size_t k, kept;       /* asked for; min(k, items): what a selection holds */
    const cfd_filter *filter; /* NULL: nothing excluded */
    int32_t capacity;     /* of a user's candidates; 0: nothing is sorted out */
    size_t queries_at, scores_at, heaps_at, sorted_at; /* in the scratch */
    size_t candidates_at, candidate_scores_at, sorting_at;
    int32_t *items;
    float *scores;   /* may be NULL */
    int32_t *counts; /* may be NULL */
} recommend_job;

/* One user of a block: the selection, and what is excluded from the present item on. */
typedef struct selection {
    top_k best;
    ops_ids excluded;
} selection;

static size_t excluded_count(const cfd_filter *filter, size_t user)
{
    return filter ? (size_t)(filter->exclude_offsets[user + 1] - filter->exclude_offsets[user]) : 0;
}

/* Points the selection to the user's exclusions in ascending order: the caller's own list where it is so
 * already, else a copy in `room`. Returns how much room was used. */
static size_t order_exclusions(const cfd_filter *filter, size_t user, int32_t *room, selection *one)
{
    size_t n = excluded_count(filter, user);
    if (n == 0) {
        one->excluded = (ops_ids){room, room};
        return 0;
    }
    const int32_t *list = filter->exclude_items + filter->exclude_offsets[user];
    bool ordered = ids_ascend(list, n);
    if (!ordered) {
        memcpy(room, list, n * sizeof *room);
        ids_sort(room, n);
    }
    list = ordered ? list : room;
    one->excluded = (ops_ids){list, list + n};
    return ordered ? 0 : n;
}

/* Offers items [first, first + n) without the excluded ones: the runs between them. */
static void offer(selection *one, const float *scores, int32_t first, int32_t n)
{
    int32_t from = first;
    int32_t end = first + n;
    ops_ids *holes = &one->excluded;
    while (holes->begin != holes->end && *holes->begin < end) {
        int32_t hole = *holes->begin++;
        if (hole >= from) { /* else a repeat */
            top_k_offer(&one->best, scores + (from - first), (size_t)(hole - from), from);
            from = hole + 1;
        }
    }
    top_k_offer(&one->best, scores + (from - first), (size_t)(end - from), from);
}

static void write_list(const recommend_job *job, size_t user, selection *one)
{
    int32_t *items = job->items + user * job->k;
    float *scores = job->scores ? job->scores + user * job->k : NULL;
    size_t found = top_k_finish(&one->best, items, scores);
    for (size_t i = found; i < job->k; i++) {
        items[i] = -1;
        if (scores) {
            scores[i] = -INFINITY;
        }
    }
    if (job->counts) {
        job->counts[user] = (int32_t)found;
    }
}

/* Offers all items to n users of consecutive queries. */
static cfd_status offer_all(const recommend_job *job, const float *queries, selection *selections, size_t n,
                            float *scores)
{
    const scorer *s = job->s;
    for (int64_t item = 0; item < s->items; item += BLOCK_ITEMS) {
        int32_t n_items = s->items - item < BLOCK_ITEMS ? (int32_t)(s->items - item) : BLOCK_ITEMS;
        const float *keys = s->keys + (size_t)item * (size_t)s->width;
        TRY(s->device->table->score_block(s->device, queries, (int64_t)n, keys, n_items, s->width, scores, BLOCK_ITEMS));
        for (size_t i = 0; i < n; i++) {
            offer(&selections[i], scores + i * BLOCK_ITEMS, (int32_t)item, n_items);
        }
    }
    return CFD_OK;
}

/* Offers each user what sorting out leaves; all items to users for whom it fails. */
static cfd_status offer_candidates(const recommend_job *job, const float *queries, selection *selections, size_t n,
                                   unsigned char *scratch)
{
    const scorer *s = job->s;
    const ops_table *table = s->device->table;
    int32_t *candidates = (int32_t *)(void *)(scratch + job->candidates_at);
    float *scores = (float *)(void *)(scratch + job->candidate_scores_at);
    float *block = (float *)(void *)(scratch + job->scores_at);
    int32_t counts[MOST_USERS];
    ops_ids excluded[MOST_USERS];
    for (size_t i = 0; i < n; i++) {
        excluded[i] = selections[i].excluded;
    }
    ops_sorting sorting = {s->keys, queries, (int32_t)n, (int32_t)job->kept, excluded, job->capacity, candidates, scores,
                           counts, scratch + job->sorting_at};
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
        TRY(offer_all(job, queries + i * (size_t)s->width, selections + i, end - i, block));
    }
    return CFD_OK;
}

static cfd_status recommend_block(void *argument, unsigned char *scratch, size_t block)
{
    const recommend_job *job = argument;
    const scorer *s = job->s;
    uint64_t *heaps = (uint64_t *)(void *)(scratch + job->heaps_at);
    int32_t *sorted = (int32_t *)(void *)(scratch + job->sorted_at);
    selection selections[MOST_USERS];

    size_t first_user = block * job->block_users;
    size_t n_users = job->n_users - first_user < job->block_users ? job->n_users - first_user : job->block_users;
    for (size_t i = 0; i < n_users; i++) {
        top_k_start(&selections[i].best, heaps + i * job->kept, job->kept);
        sorted += order_exclusions(job->filter, first_user + i, sorted, &selections[i]);
    }
    const float *queries = ids_rows(job->users + first_user, n_users, s->queries, s->width,
                                    (float *)(void *)(scratch + job->queries_at));
    if (job->capacity > 0) {
        TRY(offer_candidates(job, queries, selections, n_users, scratch));
    } else {
        TRY(offer_all(job, queries, selections, n_users, (float *)(void *)(scratch + job->scores_at)));
    }
    for (size_t i = 0; i < n_users; i++) {
        write_list(job, first_user + i, &selections[i]);
    }
    return CFD_OK;
}

/* Enough blocks to share out where users are few, wide products where they are many. */
static size_t users_of_block(size_t n_users, size_t kept, bool sorted)
{
    size_t most = sorted ? MOST_SORTED_USERS : MOST_USERS;
    size_t users = n_users / 16;
    users = users < LEAST_USERS ? LEAST_USERS : users > most ? most : users;
    size_t fit = HEAP_ENTRIES / kept;
    users = fit < 1 ? 1 : fit < users ? fit : users;
    return users < n_users ? users : n_users;
}

/* The most exclusions, over all blocks, that have to be copied to be sorted. */
static size_t most_sorted(const cfd_filter *filter, size_t n_users, size_t block_users)
{
    size_t most = 0;
    size_t sum = 0;
    for (size_t user = 0; user < n_users && filter; user++) {
        sum = user % block_users == 0 ? 0 : sum;
        size_t n = excluded_count(filter, user);
        if (n > 0 && !ids_ascend(filter->exclude_items + filter->exclude_offsets[user], n)) {
            sum += n;
        }
        most = sum > most ? sum : most;
    }
    return most;
}

/* How many candidates of a user are worth scoring; 0: sorting out is not worth it. */
static int32_t candidate_capacity(const scorer *s, size_t kept)
{
    if (!s->short_keys || kept > (size_t)s->items / SORT_SHARE) {
        return 0;
    }
    size_t capacity = CANDIDATES + CANDIDATES_OF_K * kept;
    return capacity < (size_t)s->items ? (int32_t)capacity : s->items;
}

static void plan_scratch(recommend_job *job, lane_plan *plan)
{
    const scorer *s = job->s;
    size_t users = job->block_users;
    job->queries_at = lane_reserve(plan, users > 1 ? users : 0, (size_t)s->width * sizeof(float));
    job->scores_at = lane_reserve(plan, users, BLOCK_ITEMS * sizeof(float));
    job->heaps_at = lane_reserve(plan, users, job->kept * sizeof(uint64_t));
    job->sorted_at = lane_reserve(plan, most_sorted(job->filter, job->n_users, users), sizeof(int32_t));
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

cfd_status scorer_recommend(const scorer *s, const int32_t *users, size_t n_users, size_t k, const cfd_filter *filter,
                            int32_t *items, float *scores, int32_t *counts)
{
    if (n_users == 0) {
        return CFD_OK;
    }
    recommend_job job = {.s = s, .users = users, .n_users = n_users, .k = k, .items = items, .scores = scores,
                         .counts = counts};
    job.kept = k < (size_t)s->items ? k : (size_t)s->items;
    job.filter = filter && filter->exclude_offsets ? filter : NULL;
    job.capacity = candidate_capacity(s, job.kept);
    job.block_users = users_of_block(n_users, job.kept, job.capacity > 0);
    lane_plan plan = {0};
    plan_scratch(&job, &plan);
    if (n_users == 1 && !plan.too_large && plan.bytes <= STACK_BYTES) {
        return recommend_here(&job);
    }
    return lanes_run(s->memory, s->pool, blocks_of(n_users, job.block_users), &plan, "a recommendation",
                     recommend_block, &job);
}
