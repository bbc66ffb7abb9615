/* SPDX-License-Identifier: Apache-2.0 */
/* Graphs: a launch runs the nodes in any order that their dependencies allow. */
#include "queue.h"

#include <set>

namespace cudasim {

static std::set<cudaGraph_t> &graphs()
{
    static std::set<cudaGraph_t> &all = *new std::set<cudaGraph_t>;
    return all;
}

static std::set<cudaGraphExec_t> &executables()
{
    static std::set<cudaGraphExec_t> &all = *new std::set<cudaGraphExec_t>;
    return all;
}

size_t live_graphs()
{
    return graphs().size() + executables().size();
}

void own_graph(CUgraph_st *graph)
{
    graphs().insert(graph);
}

/* Cuts the nodes into chains, each a lane of its own. */
static void assign_lanes(cudaGraphExec_t exec)
{
    size_t n = exec->nodes.size();
    std::vector<bool> continued(n);
    exec->lane.resize(n);
    exec->is_last.assign(n, true);
    exec->first_lane = 0;
    for (size_t i = 0; i < n; i++) {
        bool follows = false;
        for (size_t before : exec->nodes[i].after) {
            exec->is_last[before] = false;
            if (!follows && !continued[before]) {
                exec->lane[i] = exec->lane[before];
                continued[before] = follows = true;
            }
        }
        if (!follows) {
            exec->lane[i] = new_lane();
            exec->first_lane = exec->count.empty() ? exec->lane[i] : exec->first_lane;
            exec->count.push_back(0);
        }
    }
}

/* Puts the nodes of a graph between two marks of the stream. */
static void launch_graph(cudaGraphExec_t exec, cudaStream_t stream)
{
    operation_ref begin = append(stream, OPERATION_MARK, "cudaGraphLaunch", nullptr, {exec->last});
    std::vector<operation_ref> made, last;
    for (size_t i = 0; i < exec->nodes.size(); i++) {
        const CUgraphNode_st &node = exec->nodes[i];
        operation_ref o = std::make_shared<operation>();
        std::vector<operation_ref> after;
        o->kind = node.kind;
        o->what = node.what;
        o->work = node.work;
        o->lane = exec->lane[i];
        o->number = ++exec->count[o->lane - exec->first_lane];
        o->known = begin->known;
        after.push_back(begin);
        for (size_t before : node.after) {
            after.push_back(made[before]);
            join(&o->known, made[before]->known);
        }
        reach(&o->known, o->lane, o->number);
        submit(o, after);
        made.push_back(o);
        if (exec->is_last[i]) {
            last.push_back(o);
        }
    }
    exec->last = append(stream, OPERATION_MARK, "cudaGraphLaunch", nullptr, last);
}

} /* namespace cudasim */

using namespace cudasim;

extern "C" {

CUDASIM_PUBLIC cudaError_t cudaGraphInstantiate(cudaGraphExec_t *out, cudaGraph_t graph, unsigned long long flags)
{
    api_call call(__func__);
    if (call.refused()) {
        return call.error;
    }
    if (out == nullptr || graphs().count(graph) == 0 || flags != 0) {
        return failed(cudaErrorInvalidValue);
    }
    *out = new CUgraphExec_st;
    (*out)->nodes = graph->nodes;
    assign_lanes(*out);
    executables().insert(*out);
    return cudaSuccess;
}

CUDASIM_PUBLIC cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t handle)
{
    api_call call(__func__);
    if (call.refused()) {
        return call.error;
    }
    check_unseen(__func__);
    cudaStream_t stream = stream_of(handle);
    if (stream == nullptr || executables().count(exec) == 0) {
        return failed(stream == nullptr ? cudaErrorInvalidResourceHandle : cudaErrorInvalidValue);
    }
    if (stream->capture != nullptr) {
        return failed(
            break_capture(stream->capture, cudaErrorStreamCaptureUnsupported)); /* child graphs are not simulated */
    }
    cudaError_t error = check_implicit(stream);
    if (error != cudaSuccess) {
        return failed(error);
    }
    count_work(OPERATION_MARK, handle);
    count(CUDASIM_GRAPH_LAUNCHES);
    for (const CUgraphNode_st &node : exec->nodes) {
        if (node.kind == OPERATION_KERNEL || node.kind == OPERATION_COPY) {
            count(node.kind == OPERATION_KERNEL ? CUDASIM_LAUNCHES : CUDASIM_COPIES);
        }
    }
    launch_graph(exec, stream);
    return cudaSuccess;
}

CUDASIM_PUBLIC cudaError_t cudaGraphUpload(cudaGraphExec_t exec, cudaStream_t handle)
{
    api_call call(__func__);
    if (call.refused()) {
        return call.error;
    }
    if (stream_of(handle) == nullptr || executables().count(exec) == 0) {
        return failed(cudaErrorInvalidValue);
    }
    return cudaSuccess;
}

CUDASIM_PUBLIC cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t *nodes, size_t *n)
{
    api_call call(__func__);
    if (call.refused()) {
        return call.error;
    }
    if (graphs().count(graph) == 0 || n == nullptr) {
        return failed(cudaErrorInvalidValue);
    }
    size_t there_are = graph->nodes.size();
    for (size_t i = 0; nodes != nullptr && i < *n; i++) {
        nodes[i] = i < there_are ? &graph->nodes[i] : nullptr;
    }
    *n = nodes == nullptr || *n > there_are ? there_are : *n;
    return cudaSuccess;
}

CUDASIM_PUBLIC cudaError_t cudaGraphNodeGetType(cudaGraphNode_t node, enum cudaGraphNodeType *type)
{
    api_call call(__func__);
    if (call.refused()) {
        return call.error;
    }
    if (node == nullptr || type == nullptr) {
        return failed(cudaErrorInvalidValue);
    }
    bool fills = node->what.find("Memset") != std::string::npos;
    *type = node->kind == OPERATION_HOST   ? cudaGraphNodeTypeHost
            : node->kind != OPERATION_COPY ? cudaGraphNodeTypeKernel
            : fills                        ? cudaGraphNodeTypeMemset
                                           : cudaGraphNodeTypeMemcpy;
    return cudaSuccess;
}

CUDASIM_PUBLIC cudaError_t cudaGraphDestroy(cudaGraph_t graph)
{
    api_call call(__func__);
    if (call.refused()) {
        return call.error;
    }
    if (graphs().erase(graph) == 0) {
        return failed(cudaErrorInvalidValue);
    }
    delete graph;
    return cudaSuccess;
}

CUDASIM_PUBLIC cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec)
{
    api_call call(__func__);
    if (call.refused()) {
        return call.error;
    }
    if (executables().erase(exec) == 0) {
        return failed(cudaErrorInvalidValue);
    }
    delete exec;
    return cudaSuccess;
}

} /* extern "C" */
