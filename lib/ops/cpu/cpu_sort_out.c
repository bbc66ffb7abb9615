/* SPDX-License-Identifier: Apache-2.0 */
/* Sorting out: queries are rounded, the loops of kernels_short.c rule keys out by the bound of cpu_keys.c, and what is left is
 * scored in float32. */
#include "ops/cpu/cpu_keys.h"

#include <string.h>

enum {
    MANY_QUERIES = 32,      /* enough for a key to be met by several of them */
    COUNTED_KEYS = 1 << 16  /* counting through more takes longer than it spares */
};

/* A candidate: whose, and at which place of the query's list. */
typedef struct pair {
    int32_t query, at;
} pair;

typedef struct scratch_layout {
    cpu_layout whole;
    size_t queries_at, rounded_at, row_at, best_at, lists_at, from_at, stride;
    size_t places_at, pairs_at, ids_at, scores_at; /* of scoring key by key */
} scratch_layout;

/* Is a row of keys worth more than one of the queries' visits to it? And are the keys few enough to be counted through? */
static bool is_key_by_key(const ops_keys *keys, int32_t n_queries)
{
    return n_queries >= MANY_QUERIES && keys->keys.n <= COUNTED_KEYS;
}

static scratch_layout layout_of(const ops_keys *keys, int32_t n_queries, int32_t k, int32_t capacity)
{
    scratch_layout layout = {0};
    size_t n = (size_t)n_queries;
    layout.stride = (size_t)keys->keys.groups * SHORT_GROUP;
    layout.queries_at = cpu_reserve(&layout.whole, n, sizeof(short_query));
    layout.rounded_at = cpu_reserve(&layout.whole, n, layout.stride);
    layout.row_at = cpu_reserve(&layout.whole, 1, layout.stride);
    layout.best_at = cpu_reserve(&layout.whole, n, (size_t)k * sizeof(float));
    layout.lists_at = cpu_reserve(&layout.whole, n, (size_t)capacity * sizeof(short_entry));
    layout.from_at = cpu_reserve(&layout.whole, n, sizeof(int32_t));
    if (is_key_by_key(keys, n_queries)) {
        layout.places_at = cpu_reserve(&layout.whole, (size_t)keys->keys.n + 1, sizeof(int32_t));
        layout.pairs_at = cpu_reserve(&layout.whole, n, (size_t)capacity * sizeof(pair));
        layout.ids_at = cpu_reserve(&layout.whole, n, sizeof(int32_t));
        layout.scores_at = cpu_reserve(&layout.whole, n, sizeof(float));
    }
    return layout;
}

size_t cpu_sort_out_bytes(const ops_keys *keys, int32_t n_queries, int32_t k, int32_t capacity)
{
    scratch_layout layout = layout_of(keys, n_queries, k, capacity);
    return layout.whole.overflow ? SIZE_MAX : layout.whole.bytes;
}

/* ---- the queries ---- */

/* A query's integers go into its place in its tile. */
static void place_query(const int8_t *integers, int32_t groups, int8_t *tile, int32_t queries, int32_t at)
{
    for (int32_t g = 0; g < groups; g++) {
        memcpy(tile + ((size_t)g * (size_t)queries + (size_t)at) * SHORT_GROUP, integers + (size_t)g * SHORT_GROUP,
               SHORT_GROUP);
    }
}

void cpu_round_query(const ops_keys *keys, const float *row, int8_t *rounded, short_query *query)
{
    int32_t width = keys->width;
    short_sums sums = {0};
    keys->kernels->measure(row, width, &sums);
    double norm = sqrt(sums.squares);
    memset(rounded, 0, (size_t)keys->keys.groups * SHORT_GROUP);
    if (!(norm >= SHORTEST && norm <= LONGEST)) {
        query->given_up = true;
        query->threshold = INFINITY;
        return;
    }
    double scale = sums.largest / 127.0;
    double inverse = 1 / scale;
    sums = (short_sums){0};
    keys->kernels->round(row, width, (float)inverse, inverse, 1.0, rounded, &sums);
    double root = sqrt((double)width);
    double integers = sqrt((double)sums.sum_squares);
    double lost = sqrt(sums.squares) + root * (0x1p-40 + 0x1p-126 * inverse);
    double summation = (width + 16) * 0x1p-23 * norm * inverse;
    query->norm_factor = rounded_up((lost + summation + integers * 0x1p-18) * (1 + 0x1p-18));
    query->loss_factor = rounded_up(integers * (1 + 0x1p-17));
    query->slack = rounded_up(2 * (width * 0x1p-125 * inverse + TINY));
    query->inverse = inverse;
    query->bias = -128 * sums.sum;
    query->threshold = -INFINITY;
}

/* ---- what is left ---- */

/* Lets an entry sink in a heap that has the highest upper bound on top. */
static void sink_entry(short_entry *heap, int32_t n, int32_t at, short_entry entry)
{
    for (;;) {
        int32_t child = 2 * at + 1;
        if (child >= n) {
            break;
        }
        child += child + 1 < n && heap[child + 1].upper > heap[child].upper;
        if (heap[child].upper <= entry.upper) {
            break;
        }
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = entry;
}

/* What the final threshold leaves of a list, as a heap. A bound that is not a number is none. */
static void make_heap(short_query *query)
{
    int32_t n = 0;
    for (int32_t i = 0; i < query->n; i++) {
        short_entry entry = query->list[i];
        entry.upper = entry.upper == entry.upper ? entry.upper : INFINITY;
        if (!(entry.upper < query->threshold)) {
            query->list[n++] = entry;
        }
    }
    query->n = n;
    for (int32_t at = n / 2 - 1; at >= 0; at--) {
        sink_entry(query->list, n, at, query->list[at]);
    }
}

/* Moves up to `most` entries from the heap to the query's candidates, the highest upper bound first. */
static void take_best(short_query *query, int32_t most, int32_t *items, int32_t *taken)
{
    for (; most > 0 && query->n > 0; most--) {
        items[(*taken)++] = query->list[0].item;
        query->n--;
        sink_entry(query->list, query->n, 0, query->list[query->n]);
    }
}

/* Moves all entries that reach the threshold; the others are out. */
static void take_rest(short_query *query, int32_t *items, int32_t *taken)
{
    for (int32_t i = 0; i < query->n; i++) {
        if (!(query->list[i].upper < query->threshold)) {
            items[(*taken)++] = query->list[i].item;
        }
    }
    query->n = 0;
}

/* ---- scores in float32 ---- */

/* One call of sort_out. */
typedef struct sort_job {
    const cpu_ops *cpu;
    const ops_keys *keys;
    const ops_sorting *what;
    scratch_layout layout;
    short_query *queries;
} sort_job;

/* Scores candidates [from[u], counts[u]) of every query, query by query. */
static void score_by_query(const sort_job *job, const int32_t *from)
{
    const ops_sorting *what = job->what;
    for (int32_t u = 0; u < what->n_queries; u++) {
        int64_t at = (int64_t)u * what->capacity + from[u];
        job->cpu->kernels->pair_scores(what->queries + (int64_t)u * job->keys->width, what->keys, what->candidates + at,
                                       what->counts[u] - from[u], job->keys->width, what->scores + at);
    }
}

/* The same key by key: rows of keys come from far away, and the queries' rows are near. Of the same two rows both make the
 * same bits. The pairs are put in the order of their keys by counting. */
static void score_by_key(const sort_job *job, const int32_t *from)
{
    const ops_sorting *what = job->what;
    unsigned char *scratch = what->scratch;
    int32_t *places = (int32_t *)(void *)(scratch + job->layout.places_at);
    pair *pairs = (pair *)(void *)(scratch + job->layout.pairs_at);
    int32_t *ids = (int32_t *)(void *)(scratch + job->layout.ids_at);
    float *scores = (float *)(void *)(scratch + job->layout.scores_at);
    int32_t n = job->keys->keys.n;
    memset(places, 0, ((size_t)n + 1) * sizeof *places);
    for (int32_t u = 0; u < what->n_queries; u++) {
        const int32_t *items = what->candidates + (int64_t)u * what->capacity;
        for (int32_t i = from[u]; i < what->counts[u]; i++) {
            places[items[i]]++;
        }
    }
    for (int32_t key = 0, place = 0; key < n; key++) {
        int32_t count = places[key];
        places[key] = place;
        place += count;
    }
    for (int32_t u = 0; u < what->n_queries; u++) {
        const int32_t *items = what->candidates + (int64_t)u * what->capacity;
        for (int32_t i = from[u]; i < what->counts[u]; i++) {
            pairs[places[items[i]]++] = (pair){u, i};
        }
    }
    for (int32_t key = 0, begin = 0; key < n; begin = places[key++]) { /* a key's place has moved to its end */
        int32_t count = places[key] - begin;
        if (count == 0) {
            continue;
        }
        for (int32_t i = 0; i < count; i++) {
            ids[i] = pairs[begin + i].query;
        }
        job->cpu->kernels->pair_scores(what->keys + (int64_t)key * job->keys->width, what->queries, ids, count,
                                       job->keys->width, scores);
        for (int32_t i = 0; i < count; i++) {
            what->scores[(int64_t)ids[i] * what->capacity + pairs[begin + i].at] = scores[i];
        }
    }
}

static void score(const sort_job *job, const int32_t *from)
{
    if (is_key_by_key(job->keys, job->what->n_queries)) {
        score_by_key(job, from);
    } else {
        score_by_query(job, from);
    }
}

/* Scores what is left of the queries' items in two rounds: the k with the highest upper bounds, whose scores then are the
 * lower bounds, and of the rest those that still reach. That halves the bound's part in how many there are. `from`: room for
 * n_queries. */
static void score_left(const sort_job *job, int32_t *from)
{
    const ops_sorting *what = job->what;
    for (int32_t u = 0; u < what->n_queries; u++) {
        short_query *query = &job->queries[u];
        from[u] = what->counts[u] = 0;
        if (!query->given_up) {
            make_heap(query);
            take_best(query, what->k, what->candidates + (int64_t)u * what->capacity, &what->counts[u]);
        }
    }
    score(job, from);
    for (int32_t u = 0; u < what->n_queries; u++) {
        short_query *query = &job->queries[u];
        from[u] = what->counts[u];
        if (query->given_up) {
            continue;
        }
        query->n_best = 0;
        query->threshold = -INFINITY;
        for (int32_t i = 0; i < from[u]; i++) {
            float lower = (float)(what->scores[(int64_t)u * what->capacity + i] * query->inverse);
            job->keys->kernels->note_lower(query, lower);
        }
        take_rest(query, what->candidates + (int64_t)u * what->capacity, &what->counts[u]);
    }
    score(job, from);
    for (int32_t u = 0; u < what->n_queries; u++) {
        what->counts[u] = job->queries[u].given_up ? -1 : what->counts[u];
    }
}

cfd_status cpu_sort_out(const ops *o, const ops_keys *keys, const ops_sorting *what)
{
    scratch_layout layout = layout_of(keys, what->n_queries, what->k, what->capacity);
    unsigned char *scratch = what->scratch;
    short_query *queries = (short_query *)(void *)(scratch + layout.queries_at);
    int8_t *rounded = (int8_t *)(scratch + layout.rounded_at);
    int8_t *row = (int8_t *)(scratch + layout.row_at);
    float *best = (float *)(void *)(scratch + layout.best_at);
    short_entry *lists = (short_entry *)(void *)(scratch + layout.lists_at);
    size_t capacity = (size_t)what->capacity;
    for (int32_t u = 0; u < what->n_queries; u++) {
        size_t i = (size_t)u;
        queries[u] = (short_query){.k = what->k, .best = best + i * (size_t)what->k, .capacity = what->capacity,
                                   .list = lists + i * capacity, .excluded = what->excluded[i].begin,
                                   .n_excluded = (size_t)(what->excluded[i].end - what->excluded[i].begin)};
    }
    for (int32_t u = 0, count; u < what->n_queries; u += count) {
        count = SHORT_TILE_OF(what->n_queries - u);
        for (int32_t i = 0; i < count; i++) {
            cpu_round_query(keys, what->queries + (size_t)(u + i) * (size_t)keys->width, row, &queries[u + i]);
            place_query(row, keys->keys.groups, rounded + (size_t)u * layout.stride, count, i);
        }
    }
    keys->kernels->sift(&keys->keys, 0, keys->keys.panels, rounded, queries, what->n_queries);
    sort_job job = {(const cpu_ops *)o, keys, what, layout, queries};
    score_left(&job, (int32_t *)(void *)(scratch + layout.from_at));
    return CFD_OK;
}
