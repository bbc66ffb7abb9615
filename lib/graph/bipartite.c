/* SPDX-License-Identifier: Apache-2.0 */
/* Interactions as a user-to-item CSR structure. Two stable counting passes, by item and then by user, leave every user's
 * items ascending: linear in interactions, users and items. */
#include "graph/bipartite.h"

#include <string.h>

static const char *const purpose = "the interactions";

/* Counts, starting at offsets[1], become the offset at which each bucket begins. */
static void counts_to_starts(int64_t *offsets, int32_t buckets)
{
    for (int32_t i = 0; i < buckets; i++) {
        offsets[i + 1] += offsets[i];
    }
}

/* After filling, each start has moved to its bucket's end, which is where the next one begins. */
static void ends_to_starts(int64_t *offsets, int32_t buckets)
{
    memmove(offsets + 1, offsets, (size_t)buckets * sizeof *offsets);
    offsets[0] = 0;
}

/* The users of each item, in the order of the pairs; by_item[starts of item ..]. */
static void sort_by_item(const int32_t *user_ids, const int32_t *item_ids, size_t n, int32_t items, int64_t *starts,
                         int32_t *by_item)
{
    for (size_t k = 0; k < n; k++) {
        starts[item_ids[k] + (size_t)1]++;
    }
    counts_to_starts(starts, items);
    for (size_t k = 0; k < n; k++) {
        by_item[starts[item_ids[k]]++] = user_ids[k];
    }
    ends_to_starts(starts, items);
}

/* Items arrive in ascending order, so every user's list ascends too; repeats still stand side by side. */
static void sort_by_user(const int64_t *starts, const int32_t *by_item, bipartite *graph)
{
    for (int64_t k = 0; k < starts[graph->items]; k++) {
        graph->offsets[by_item[k] + (size_t)1]++;
    }
    counts_to_starts(graph->offsets, graph->users);
    for (int32_t item = 0; item < graph->items; item++) {
        for (int64_t k = starts[item]; k < starts[item + 1]; k++) {
            graph->item_ids[graph->offsets[by_item[k]]++] = item;
        }
    }
    ends_to_starts(graph->offsets, graph->users);
}

static void drop_repeats(bipartite *graph)
{
    int64_t kept = 0;
    int64_t begin = 0;
    for (int32_t user = 0; user < graph->users; user++) {
        int64_t end = graph->offsets[user + 1];
        int64_t first = kept;
        for (int64_t k = begin; k < end; k++) {
            if (kept == first || graph->item_ids[kept - 1] != graph->item_ids[k]) {
                graph->item_ids[kept++] = graph->item_ids[k];
            }
        }
        begin = end;
        graph->offsets[user + 1] = kept;
    }
    graph->interactions = kept;
}

cfd_status bipartite_create(const memory_source *source, int32_t users, int32_t items, const int32_t *user_ids,
                            const int32_t *item_ids, size_t n, bipartite *out, int64_t *duplicates)
{
    bipartite graph = {.source = source, .users = users, .items = items};
    int64_t *starts = NULL;
    int32_t *by_item = NULL;
    cfd_status status;
    TRY_OR(done, memory_allocate_zero(source, (size_t)users + 1, sizeof *graph.offsets, purpose, &graph.offsets));
    TRY_OR(done, memory_allocate(source, n, sizeof *graph.item_ids, purpose, &graph.item_ids));
    if (n > 0) {
        TRY_OR(done, memory_allocate_zero(source, (size_t)items + 1, sizeof *starts, purpose, &starts));
        TRY_OR(done, memory_allocate(source, n, sizeof *by_item, purpose, &by_item));
        sort_by_item(user_ids, item_ids, n, items, starts, by_item);
        sort_by_user(starts, by_item, &graph);
        drop_repeats(&graph);
    }
    if (duplicates) {
        *duplicates = (int64_t)n - graph.interactions;
    }
    *out = graph;
done:
    memory_release(source, by_item);
    memory_release(source, starts);
    if (status != CFD_OK) {
        bipartite_release(&graph);
    }
    return status;
}

/* The union of two ascending lists; returns where it ends. */
static int32_t *merge_lists(const int32_t *a, const int32_t *a_end, const int32_t *b, const int32_t *b_end, int32_t *to)
{
    while (a < a_end && b < b_end) {
        int32_t item = *a < *b ? *a : *b;
        a += *a == item;
        b += *b == item;
        *to++ = item;
    }
    while (a < a_end) {
        *to++ = *a++;
    }
    while (b < b_end) {
        *to++ = *b++;
    }
    return to;
}

cfd_status bipartite_merge(const memory_source *source, const bipartite *a, const bipartite *b, bipartite *out)
{
    bipartite graph = {.source = source, .users = a->users, .items = a->items};
    cfd_status status;
    TRY_OR(failed, memory_allocate_zero(source, (size_t)a->users + 1, sizeof *graph.offsets, purpose, &graph.offsets));
    TRY_OR(failed, memory_allocate(source, (size_t)(a->interactions + b->interactions), sizeof *graph.item_ids, purpose,
                                   &graph.item_ids));
    int32_t *end = graph.item_ids;
    for (int32_t user = 0; user < a->users; user++) {
        end = merge_lists(a->item_ids + a->offsets[user], a->item_ids + a->offsets[user + 1],
                          b->item_ids + b->offsets[user], b->item_ids + b->offsets[user + 1], end);
        graph.offsets[user + 1] = end - graph.item_ids;
    }
    graph.interactions = end - graph.item_ids;
    *out = graph;
    return CFD_OK;
failed:
    bipartite_release(&graph);
    return status;
}

void bipartite_release(bipartite *graph)
{
    if (graph->source) {
        memory_release(graph->source, graph->item_ids);
        memory_release(graph->source, graph->offsets);
    }
    *graph = (bipartite){0};
}

bool bipartite_has(const bipartite *graph, int32_t user, int32_t item)
{
    int64_t low = graph->offsets[user];
    int64_t high = graph->offsets[user + 1];
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (graph->item_ids[middle] < item) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < graph->offsets[user + 1] && graph->item_ids[low] == item;
}
