/* SPDX-License-Identifier: Apache-2.0 */
/* The symmetric graph of SPEC 2 over users and items, with the identity, and its normalised values. */
#include "graph/bipartite.h"

#include <math.h>
#include <string.h>

static const char *const purpose = "the graph";

/* Users' rows: the user itself, then its items (their nodes stand behind all users). */
static void fill_users(const bipartite *interactions, adjacency *graph)
{
    int64_t at = 0;
    for (int32_t user = 0; user < interactions->users; user++) {
        graph->offsets[user] = at;
        graph->columns[at++] = user;
        for (int64_t k = interactions->offsets[user]; k < interactions->offsets[user + 1]; k++) {
            graph->columns[at++] = interactions->users + interactions->item_ids[k];
        }
    }
}

/* Items' rows: their users, ascending because users are visited in order, then the item itself. The offset of each row
 * moves along while it is filled, and ends where the next row begins. */
static void fill_items(const bipartite *interactions, adjacency *graph)
{
    int64_t *starts = graph->offsets + interactions->users;
    memset(starts, 0, ((size_t)interactions->items + 1) * sizeof *starts);
    for (int64_t k = 0; k < interactions->interactions; k++) {
        starts[interactions->item_ids[k] + (size_t)1]++;
    }
    starts[0] = interactions->interactions + interactions->users;
    for (int32_t item = 0; item < interactions->items; item++) {
        starts[item + 1] += starts[item] + 1;
    }
    for (int32_t user = 0; user < interactions->users; user++) {
        for (int64_t k = interactions->offsets[user]; k < interactions->offsets[user + 1]; k++) {
            graph->columns[starts[interactions->item_ids[k]]++] = user;
        }
    }
    for (int32_t item = 0; item < interactions->items; item++) {
        graph->columns[starts[item]++] = interactions->users + item;
    }
    memmove(starts + 1, starts, (size_t)interactions->items * sizeof *starts);
    starts[0] = interactions->interactions + interactions->users;
}

cfd_status adjacency_create(const memory_source *source, const bipartite *interactions, adjacency *out)
{
    int64_t nodes = (int64_t)interactions->users + interactions->items;
    if (nodes >= INT32_MAX) {
        return fail(CFD_ERROR_DATA, "%d users and %d items are together more than the graph's %d nodes",
                    (int)interactions->users, (int)interactions->items, INT32_MAX - 1);
    }
    adjacency graph = {.source = source, .nodes = (int32_t)nodes, .nonzeros = 2 * interactions->interactions + nodes};
    cfd_status status;
    TRY_OR(failed, memory_allocate(source, (size_t)nodes + 1, sizeof *graph.offsets, purpose, &graph.offsets));
    TRY_OR(failed, memory_allocate(source, (size_t)graph.nonzeros, sizeof *graph.columns, purpose, &graph.columns));
    fill_users(interactions, &graph);
    fill_items(interactions, &graph);
    *out = graph;
    return CFD_OK;
failed:
    adjacency_release(&graph);
    return status;
}

void adjacency_release(adjacency *graph)
{
    if (graph->source) {
        memory_release(graph->source, graph->columns);
        memory_release(graph->source, graph->offsets);
    }
    *graph = (adjacency){0};
}

static int64_t degree(const adjacency *graph, int32_t node)
{
    return graph->offsets[node + 1] - graph->offsets[node];
}

void adjacency_values(const adjacency *graph, double left, double right, float *values)
{
    /* Most degrees are small and come up again and again; a power costs more than all the rest. */
    enum { TABLE = 1024 };
    double powers[TABLE];
    for (int d = 1; d < TABLE; d++) {
        powers[d] = pow(d, right);
    }
    for (int32_t row = 0; row < graph->nodes; row++) {
        double row_factor = pow((double)degree(graph, row), left);
        for (int64_t k = graph->offsets[row]; k < graph->offsets[row + 1]; k++) {
            int64_t d = degree(graph, graph->columns[k]);
            values[k] = (float)(row_factor * (d < TABLE ? powers[d] : pow((double)d, right)));
        }
    }
}
