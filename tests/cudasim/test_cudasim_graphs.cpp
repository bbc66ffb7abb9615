/* SPDX-License-Identifier: Apache-2.0 */
/* Capture and graphs: what is captured runs at each launch, in an order that keeps the dependencies; what a capture does not
 * allow is refused and breaks it. */
#include "test_support.h"

#include <thread>

static cudaGraphExec_t make_executable(cudaGraph_t graph)
{
    cudaGraphExec_t exec;
    SUCCEEDS(cudaGraphInstantiate(&exec, graph, 0));
    SUCCEEDS(cudaGraphDestroy(graph));
    return exec;
}

static cudaGraph_t end_capture(cudaStream_t stream)
{
    cudaGraph_t graph = nullptr;
    SUCCEEDS(cudaStreamEndCapture(stream, &graph));
    ck_assert_ptr_nonnull(graph);
    return graph;
}

START_TEST(test_graph)
{
    cudasim_seed((unsigned)_i);
    cudaStream_t stream = new_stream();
    int *x = device_array<int>(N), *y = device_array<int>(N);
    unsigned long launches = cudasim_count(CUDASIM_LAUNCHES), calls = cudasim_count(CUDASIM_CALLS);
    cudaStreamCaptureStatus status;
    SUCCEEDS(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
    SUCCEEDS(cudaStreamIsCapturing(stream, &status));
    ck_assert_int_eq(status, cudaStreamCaptureStatusActive);
    add_elements(N, x, 1, stream);
    SUCCEEDS(cudaMemcpyAsync(y, x, N * sizeof(int), cudaMemcpyDeviceToDevice, stream));
    add_elements(N, y, 10, stream);
    cudaGraph_t graph = end_capture(stream);
    SUCCEEDS(cudaDeviceSynchronize());
    ck_assert_uint_eq(cudasim_count(CUDASIM_LAUNCHES), launches);
    ck_assert_uint_eq(cudasim_count(CUDASIM_CALLS), calls);
    ck_assert_int_eq(host_copy(x, N)[0], 0); /* nothing ran */

    size_t n = 0;
    cudaGraphNode_t nodes[4];
    cudaGraphNodeType type;
    SUCCEEDS(cudaGraphGetNodes(graph, nullptr, &n));
    ck_assert_uint_eq(n, 3);
    n = 4;
    SUCCEEDS(cudaGraphGetNodes(graph, nodes, &n));
    ck_assert_uint_eq(n, 3);
    SUCCEEDS(cudaGraphNodeGetType(nodes[1], &type));
    ck_assert_int_eq(type, cudaGraphNodeTypeMemcpy);

    cudaGraphExec_t exec = make_executable(graph);
    for (int i = 0; i < 3; i++) {
        SUCCEEDS(cudaGraphLaunch(exec, stream));
    }
    ck_assert_uint_eq(cudasim_count(CUDASIM_LAUNCHES), launches + 6);
    ck_assert_uint_eq(cudasim_count(CUDASIM_GRAPH_LAUNCHES), 3);
    ck_assert_uint_eq(cudasim_count(CUDASIM_CALLS) - calls, 4); /* and one copy */
    SUCCEEDS(cudaStreamSynchronize(stream));
    ck_assert_int_eq(host_copy(y, N)[N - 1], 13);
    SUCCEEDS(cudaGraphExecDestroy(exec));
}
END_TEST

/* x is changed, two branches go on from it, and join. Without one of the events the branches race, or the capture does not
 * end. */
static cudaError_t fork_and_join(cudaStream_t first, cudaStream_t second, int *x, int *y, bool shared_target, bool join,
                                 cudaGraph_t *graph)
{
    cudaEvent_t fork, joined;
    SUCCEEDS(cudaEventCreateWithFlags(&fork, cudaEventDisableTiming));
    SUCCEEDS(cudaEventCreateWithFlags(&joined, cudaEventDisableTiming));
    SUCCEEDS(cudaStreamBeginCapture(first, cudaStreamCaptureModeGlobal));
    add_elements(N, x, 1, first);
    SUCCEEDS(cudaEventRecord(fork, first));
    SUCCEEDS(cudaStreamWaitEvent(second, fork, 0));
    copy_elements(N, x, y, first);
    copy_elements(N, x, shared_target ? y : y + N, second);
    SUCCEEDS(cudaEventRecord(joined, second));
    if (join) {
        SUCCEEDS(cudaStreamWaitEvent(first, joined, 0));
        add_elements(2 * N, y, 1, first);
    }
    return cudaStreamEndCapture(first, graph);
}

START_TEST(test_branches)
{
    cudasim_seed((unsigned)_i);
    cudasim_expect_faults(1);
    cudaStream_t first = new_stream(), second = new_stream();
    int *x = device_array<int>(N), *y = device_array<int>(2 * N);
    cudaGraph_t graph;
    SUCCEEDS(fork_and_join(first, second, x, y, false, true, &graph));
    cudaGraphExec_t exec = make_executable(graph);
    SUCCEEDS(cudaGraphLaunch(exec, first));
    SUCCEEDS(cudaGraphLaunch(exec, first));
    SUCCEEDS(cudaGraphLaunch(exec, second)); /* one graph follows itself, in whatever stream */
    SUCCEEDS(cudaStreamSynchronize(second));
    ck_assert_str_eq(kind_of_faults(), "none");
    ck_assert_int_eq(host_copy(y, 2 * N)[N], 4);
    ck_assert_int_eq(host_copy(y, 2 * N)[0], 4);
    REFUSED(cudaErrorStreamCaptureUnjoined, fork_and_join(first, second, x, y, false, false, &graph));
    ck_assert_ptr_null(graph);
    SUCCEEDS(fork_and_join(first, second, x, y, true, true, &graph));
    exec = make_executable(graph);
    SUCCEEDS(cudaGraphLaunch(exec, first));
    SUCCEEDS(cudaStreamSynchronize(first));
    ck_assert_str_eq(kind_of_faults(), cudasim_checks_accesses() ? "stream race" : "none");
}
END_TEST

/* What is refused during a capture, and breaks it. */
static cudaError_t call_in_capture(int what, cudaStream_t stream, int *x)
{
    static int pageable;
    void *p;
    cudaEvent_t event;
    switch (what) {
    case 0: return cudaMalloc(&p, 4);
    case 1: return cudaFree(x);
    case 2: return cudaStreamSynchronize(stream);
    case 3: return cudaDeviceSynchronize();
    case 4: return cudaStreamQuery(stream);
    case 5: return cudaMemcpy(&pageable, x, 4, cudaMemcpyDeviceToHost);
    case 6: return cudaMemcpyAsync(&pageable, x, 4, cudaMemcpyDeviceToHost, stream);
    case 7: return cudaMemcpyAsync(x, &pageable, 4, cudaMemcpyHostToDevice, stream);
    case 8: return cudaMallocHost(&p, 4);
    case 9: return cudaMallocAsync(&p, 4, stream);
    default: /* an event that was recorded before */
        SUCCEEDS(cudaEventCreate(&event));
        SUCCEEDS(cudaEventRecord(event, new_stream()));
        return cudaStreamWaitEvent(stream, event, 0);
    }
}

START_TEST(test_illegal_calls)
{
    cudaStream_t stream = new_stream();
    int *x = device_array<int>(N);
    cudaGraph_t graph = (cudaGraph_t)x;
    cudaStreamCaptureStatus status;
    SUCCEEDS(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal));
    add_elements(N, x, 1, stream);
    cudaError_t error = call_in_capture(_i, stream, x);
    ck_assert_str_eq(cudaGetErrorName(error),
                     _i < 10 ? "cudaErrorStreamCaptureUnsupported" : "cudaErrorStreamCaptureIsolation");
    ck_assert_int_eq(cudaGetLastError(), error);
    SUCCEEDS(cudaStreamIsCapturing(stream, &status));
    ck_assert_int_eq(status, cudaStreamCaptureStatusInvalidated);
    add_elements(N, x, 1, stream);
    REFUSED(cudaErrorStreamCaptureInvalidated, cudaGetLastError());
    REFUSED(cudaErrorStreamCaptureInvalidated, cudaStreamEndCapture(stream, &graph));
    ck_assert_ptr_null(graph);
    SUCCEEDS(cudaStreamSynchronize(stream)); /* it captures no more */
    if (_i < 10) {
        SUCCEEDS(call_in_capture(_i, stream, x)); /* allowed now */
    }
}
END_TEST

/* By mode: what this thread and others may do while it captures. */
START_TEST(test_modes)
{
    cudaStream_t stream = new_stream();
    cudaGraph_t graph;
    void *p;
    auto in_other_thread = [] {
        cudaError_t error;
        std::thread([&error] {
            void *q;
            error = cudaMalloc(&q, 4);
        }).join();
        return error;
    };
    SUCCEEDS(cudaStreamBeginCapture(stream, cudaStreamCaptureModeRelaxed));
    SUCCEEDS(cudaMalloc(&p, 4));
    SUCCEEDS(in_other_thread());
    end_capture(stream);
    SUCCEEDS(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
    SUCCEEDS(in_other_thread());
    end_capture(stream);
    SUCCEEDS(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal));
    REFUSED(cudaErrorStreamCaptureUnsupported, in_other_thread());
    REFUSED(cudaErrorStreamCaptureInvalidated, cudaStreamEndCapture(stream, &graph));
    SUCCEEDS(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal));
    cudaStreamCaptureMode mode = cudaStreamCaptureModeRelaxed;
    SUCCEEDS(cudaThreadExchangeStreamCaptureMode(&mode));
    ck_assert_int_eq(mode, cudaStreamCaptureModeGlobal);
    SUCCEEDS(cudaMalloc(&p, 4));
    SUCCEEDS(cudaThreadExchangeStreamCaptureMode(&mode));
    cudaError_t error;
    std::thread([&] { error = cudaStreamEndCapture(stream, &graph); }).join();
    REFUSED(cudaErrorStreamCaptureWrongThread, error);
    end_capture(stream);
}
END_TEST

START_TEST(test_rules_of_streams)
{
    cudaStream_t stream = new_stream(), other = new_stream(), blocking;
    cudaEvent_t event;
    cudaGraph_t graph;
    int *x = device_array<int>(N);
    SUCCEEDS(cudaEventCreate(&event));
    SUCCEEDS(cudaStreamCreate(&blocking));
    REFUSED(cudaErrorStreamCaptureUnsupported, cudaStreamBeginCapture(nullptr, cudaStreamCaptureModeGlobal));
    REFUSED(cudaErrorIllegalState, cudaStreamEndCapture(stream, &graph));
    SUCCEEDS(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
    REFUSED(cudaErrorIllegalState, cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
    REFUSED(cudaErrorIllegalState, cudaGetLastError());
    add_elements(N, x, 1, nullptr); /* the legacy stream does not wait for this one */
    SUCCEEDS(cudaGetLastError());
    SUCCEEDS(cudaEventRecord(event, stream));
    REFUSED(cudaErrorCapturedEvent, cudaEventQuery(event));
    REFUSED(cudaErrorStreamCaptureInvalidated, cudaStreamEndCapture(stream, &graph));

    SUCCEEDS(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
    SUCCEEDS(cudaStreamBeginCapture(other, cudaStreamCaptureModeThreadLocal));
    SUCCEEDS(cudaEventRecord(event, stream));
    REFUSED(cudaErrorStreamCaptureMerge, cudaStreamWaitEvent(other, event, 0));
    REFUSED(cudaErrorStreamCaptureInvalidated, cudaStreamEndCapture(stream, &graph));
    REFUSED(cudaErrorStreamCaptureInvalidated, cudaStreamEndCapture(other, &graph));

    SUCCEEDS(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
    SUCCEEDS(cudaEventRecord(event, stream));
    SUCCEEDS(cudaStreamWaitEvent(other, event, 0));
    REFUSED(cudaErrorStreamCaptureUnmatched, cudaStreamEndCapture(other, &graph));
    REFUSED(cudaErrorStreamCaptureInvalidated, cudaStreamEndCapture(stream, &graph));

    SUCCEEDS(cudaStreamBeginCapture(blocking, cudaStreamCaptureModeThreadLocal));
    add_elements(N, x, 1, nullptr);
    REFUSED(cudaErrorStreamCaptureImplicit, cudaGetLastError());
    REFUSED(cudaErrorStreamCaptureInvalidated, cudaStreamEndCapture(blocking, &graph));
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("cudasim_graphs");
    TCase *t = tcase_create("graphs");
    tcase_set_timeout(t, 300);
    tcase_add_loop_test(t, test_graph, 0, SEEDS);
    tcase_add_loop_test(t, test_branches, 0, SEEDS);
    tcase_add_loop_test(t, test_illegal_calls, 0, 11);
    tcase_add_test(t, test_modes);
    tcase_add_test(t, test_rules_of_streams);
    suite_add_tcase(s, t);
    return s;
}

SUITE_MAIN(suite)
