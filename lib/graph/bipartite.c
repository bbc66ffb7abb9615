/* SPDX-License-Identifier: Apache-2.0 */
/* Interactions as a user-to-item CSR structure. */
#include "graph/bipartite.h"
#include "base/id_groups.h"

static const char *const purpose = "the interactions";

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
    cfd_status status;
    TRY_OR(failed, memory_allocate(source, (size_t)users + 1, sizeof *graph.offsets, purpose, &graph.offsets));
    TRY_OR(failed, memory_allocate(source, n, sizeof *graph.item_ids, purpose, &graph.item_ids));
    TRY_OR(failed, ids_group(source, purpose, user_ids, item_ids, n, users, items, graph.offsets, graph.item_ids));
    drop_repeats(&graph);
    if (duplicates) {
        *duplicates = (int64_t)n - graph.interactions;
    }
    *out = graph;
    return CFD_OK;
failed:
    bipartite_release(&graph);
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
        end = merge_lists(a->item_ids + a->offsets[user], a->item_ids + a->offsets[user + 1], b->item_ids + b->offsets[user],
                          b->item_ids + b->offsets[user + 1], end);
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
