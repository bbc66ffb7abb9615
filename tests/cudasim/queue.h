/* SPDX-License-Identifier: Apache-2.0 */
/* Queued work: operations, what each of them waits for, streams, events, graphs. */
#ifndef CUDASIM_QUEUE_H
#define CUDASIM_QUEUE_H

#include "state.h"

#include <memory>

namespace cudasim {

enum operation_kind { OPERATION_KERNEL, OPERATION_LIBRARY, OPERATION_COPY, OPERATION_HOST, OPERATION_MARK };

/* Of every lane (a stream, or a chain of a graph's nodes) how many operations are over: a vector clock. */
typedef std::vector<uint32_t> progress;
void join(progress *to, const progress &from);
void reach(progress *to, unsigned lane, uint32_t number);
static inline bool includes(const progress &known, unsigned lane, uint32_t number)
{
    return lane < known.size() && known[lane] >= number;
}
unsigned new_lane();

struct operation;
typedef std::shared_ptr<operation> operation_ref;
struct operation {
    operation_kind kind;
    std::string what;
    std::function<void()> work;
    unsigned lane; /* it is the number-th of its lane */
    uint32_t number;
    progress known; /* what is over before it begins, itself included */
    std::vector<operation_ref> next;
    int waits_for = 0; /* operations that are not done */
    bool done = false;
    double time = 0; /* when it was done: seconds */
};

/* Puts an operation into the queue, after others. */
void submit(const operation_ref &o, const std::vector<operation_ref> &after);
/* Runs what is queued, in some order, until it is done; the host knows then what it knew. */
void wait_for(const operation_ref &o);
void wait_for_all();
/* Runs a few operations, as time would. */
void let_time_pass();
/* The operation that runs; NULL: none. */
extern operation *running;
/* What is known to the host to be over. */
extern progress &host_known;

struct capture;

} /* namespace cudasim */

struct CUstream_st {
    int device = 0;
    bool live = true, is_default = false;
    bool legacy = false, blocking = true; /* blocking: waits for the legacy stream and is waited for */
    unsigned flags = 0;
    unsigned lane = 0;
    uint32_t number = 0;
    cudasim::progress known;
    cudasim::operation_ref last;
    cudasim::capture *capture = nullptr;
    std::vector<size_t> ends; /* nodes that the next captured node comes after */
};

struct CUevent_st {
    unsigned flags = 0;
    cudasim::operation_ref recorded;
    unsigned long capture = 0; /* number of the capture in which it was last recorded */
    std::vector<size_t> ends;
};

struct CUgraphNode_st {
    cudasim::operation_kind kind;
    std::string what;
    std::function<void()> work;
    std::vector<size_t> after; /* earlier nodes */
};

struct CUgraph_st {
    std::vector<CUgraphNode_st> nodes; /* each after those that it comes after */
};

struct CUgraphExec_st {
    std::vector<CUgraphNode_st> nodes;
    std::vector<unsigned> lane;  /* of each node */
    std::vector<bool> is_last;   /* no node comes after it */
    std::vector<uint32_t> count; /* by lane, from first_lane */
    unsigned first_lane;
    cudasim::operation_ref last; /* launches of one graph follow each other */
};

namespace cudasim {

struct capture {
    unsigned long number;
    cudaStreamCaptureMode mode;
    cudaStream_t origin;
    std::thread::id thread;
    bool broken = false;
    CUgraph_st *graph;
};

/* ---- streams (streams.cpp) ---- */

/* The stream that a handle means; NULL: none. */
cudaStream_t stream_of(cudaStream_t handle);
std::vector<cudaStream_t> &all_streams();
/* An operation at the end of a stream that does not capture, which also waits for others. */
operation_ref append(cudaStream_t stream, operation_kind kind, const std::string &what, std::function<void()> work,
                     const std::vector<operation_ref> &also = {});
/* Into a stream or into what it captures; counts. With `out` the caller will wait for it, which a capture does not allow. */
cudaError_t put(cudaStream_t handle, operation_kind kind, const std::string &what, std::function<void()> work,
                operation_ref *out = nullptr);
void count_work(operation_kind kind, cudaStream_t stream);

bool is_default(cudaStream_t handle);

/* ---- capture (capture.cpp) ---- */

/* Whether something that a capture would not see is allowed now; where it is not the capture is broken. */
cudaError_t check_unsafe();
/* The same for what uses the legacy stream, which waits for every blocking stream. */
cudaError_t check_implicit(cudaStream_t stream);
cudaError_t break_capture(capture *c, cudaError_t error);
cudaError_t add_node(cudaStream_t stream, operation_kind kind, const std::string &what, std::function<void()> work);
capture *capture_of(unsigned long number);

/* ---- what is left (events.cpp, graphs.cpp) ---- */

size_t live_events();
size_t live_graphs();
/* A graph that is the program's from here on. */
void own_graph(CUgraph_st *graph);

} /* namespace cudasim */

#endif
