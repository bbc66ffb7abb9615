/* SPDX-License-Identifier: Apache-2.0 */
/* Sorting out: queries are rounded, the loops of kernels_short.c rule keys out by the bound of cpu_keys.c, and what is left
 * is scored in float32. */
#include "ops/cpu/cpu_keys.h"

#include <string.h>

enum { AT_ONCE = 4 }; /* pairs scored together */

/* ---- the queries ---- */

typedef struct scratch_layout {
    cpu_layout whole;
    size_t queries_at, rounded_at, row_at, best_at, lists_at, stride;
} scratch_layout;

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
    return layout;
}

size_t cpu_sort_out_bytes(const ops_keys *keys, int32_t n_queries, int32_t k, int32_t capacity)
{
    scratch_layout layout = layout_of(keys, n_queries, k, capacity);
    return layout.whole.overflow ? SIZE_MAX : layout.whole.bytes;
}

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

/* Scores what is left of a query's items, from the highest upper bound downwards, until an upper bound is below the k-th
 * best score: that halves the bound's part in the number of scores. Returns how many were scored. */
static int32_t score_best_first(const cpu_ops *cpu, const ops_keys *keys, const ops_sorting *what, int32_t u,
                                short_query *query)
{
    const float *row = what->queries + (int64_t)u * keys->width;
    int32_t *items = what->candidates + (int64_t)u * what->capacity;
    float *scores = what->scores + (int64_t)u * what->capacity;
    int32_t scored = 0;
    make_heap(query);
    query->n_best = 0;
    query->threshold = -INFINITY;
    while (query->n > 0) {
        int32_t n = 0;
        for (; n < AT_ONCE && query->n > 0 && !(query->list[0].upper < query->threshold); n++) {
            items[scored + n] = query->list[0].item;
            query->n--;
            sink_entry(query->list, query->n, 0, query->list[query->n]);
        }
        if (n == 0) {
            break;
        }
        cpu->kernels->pair_scores(row, what->keys, items + scored, n, keys->width, scores + scored);
        for (int32_t i = 0; i < n; i++) {
            keys->kernels->note_lower(query, (float)(scores[scored + i] * query->inverse));
        }
        scored += n;
    }
    return scored;
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
        queries[u] = (short_query){.k = what->k,
                                   .best = best + i * (size_t)what->k,
                                   .capacity = what->capacity,
                                   .list = lists + i * capacity,
                                   .excluded = what->excluded[i].begin,
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
    for (int32_t u = 0; u < what->n_queries; u++) {
        what->counts[u] = queries[u].given_up ? -1 : score_best_first((const cpu_ops *)o, keys, what, u, &queries[u]);
    }
    return CFD_OK;
}
