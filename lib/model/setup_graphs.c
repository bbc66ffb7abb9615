/* SPDX-License-Identifier: Apache-2.0 */
/* The graphs of SPEC 2 on the device: one structure, and one array of values for each pair of exponents in use. The
 * transpose of A(a, b) is A(b, a). */
#include "model/setup.h"

static cfd_status values_of(model *m, const adjacency *graph, exponents of, const float **out)
{
    for (int32_t i = 0; i < m->n_graph_values; i++) {
        if (m->graph_values[i].of.left == of.left && m->graph_values[i].of.right == of.right) {
            *out = m->graph_values[i].values;
            return CFD_OK;
        }
    }
    float *host;
    TRY(memory_allocate(m->memory, (size_t)graph->nonzeros, sizeof *host, "the values of a graph", &host));
    adjacency_values(graph, of.left, of.right, host);
    float *values = NULL;
    cfd_status status = setup_upload(m, host, (size_t)graph->nonzeros, sizeof *host, "the values of a graph", &values);
    memory_release(m->memory, host);
    if (values) {
        m->graph_values[m->n_graph_values].of = of;
        m->graph_values[m->n_graph_values++].values = values;
    }
    *out = values;
    return status;
}

static cfd_status graph_of(model *m, const adjacency *graph, exponents of, model_graph *out)
{
    ops_csr structure = {m->nodes, m->nodes, graph->nonzeros, m->offsets, m->columns, NULL};
    out->forward = structure;
    out->transposed = structure;
    TRY(values_of(m, graph, of, &out->forward.values));
    return values_of(m, graph, (exponents){of.right, of.left}, &out->transposed.values);
}

static cfd_status upload_graphs(model *m, const adjacency *graph)
{
    const settings *v = &m->values;
    TRY(setup_upload(m, graph->offsets, (size_t)m->nodes + 1, sizeof(int64_t), "the graph", &m->offsets));
    TRY(setup_upload(m, graph->columns, (size_t)graph->nonzeros, sizeof(int32_t), "the graph", &m->columns));
    if (m->has_base) {
        TRY(graph_of(m, graph, v->base, &m->base));
    }
    if (m->kinds[KIND_COMMON] >= 0) {
        TRY(graph_of(m, graph, v->common, &m->kind_graph[KIND_COMMON]));
    }
    if (m->kinds[KIND_DIFFERENTIAL] >= 0) {
        TRY(graph_of(m, graph, v->differential, &m->kind_graph[KIND_DIFFERENTIAL]));
    }
    if (m->has_fused) {
        TRY(graph_of(m, graph, v->fused, &m->fused));
    }
    m->one_graph = m->n_kinds < 2 ||
                   m->kind_graph[KIND_COMMON].forward.values == m->kind_graph[KIND_DIFFERENTIAL].forward.values;
    return CFD_OK;
}

cfd_status setup_graphs(model *m, const bipartite *train)
{
    adjacency graph;
    TRY(adjacency_create(m->memory, train, &graph));
    m->nonzeros = graph.nonzeros;
    cfd_status status = upload_graphs(m, &graph);
    adjacency_release(&graph);
    return status;
}
