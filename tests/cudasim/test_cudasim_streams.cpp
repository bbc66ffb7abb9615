/* SPDX-License-Identifier: Apache-2.0 */
/* Streams run late and in any order that is allowed; what nothing orders is found. */
#include "test_support.h"

#include "sim.h"

#include <thread>

/* x is changed in one stream and read in another. Without the event: a race, whatever ran first. */
static void write_here_read_there(bool with_event, bool wait_on_host)
{
    cudaStream_t first = new_stream(), second = new_stream();
    cudaEvent_t event;
    int *x = device_array<int>(N), *y = device_array<int>(N);
    SUCCEEDS(cudaEventCreateWithFlags(&event, cudaEventDisableTiming));
    add_elements(N, x, 5, first);
    SUCCEEDS(cudaEventRecord(event, first));
    if (with_event) {
        SUCCEEDS(cudaStreamWaitEvent(second, event, 0));
    }
    if (wait_on_host) {
        SUCCEEDS(cudaEventSynchronize(event));
    }
    copy_elements(N, x, y, second);
    SUCCEEDS(cudaStreamSynchronize(second));
    SUCCEEDS(cudaDeviceSynchronize());
    if (with_event || wait_on_host) {
        ck_assert_int_eq(host_copy(y, N)[N - 1], 5);
    }
}

START_TEST(test_missing_event)
{
    cudasim_seed((unsigned)_i);
    cudasim_expect_faults(1);
    write_here_read_there(true, false);
    write_here_read_there(false, true);
    ck_assert_str_eq(kind_of_faults(), "none");
    write_here_read_there(false, false);
    ck_assert_str_eq(kind_of_faults(), cudasim_checks_accesses() ? "stream race" : "none");
}
END_TEST

/* In some order a missing event shows in the result as well. */
START_TEST(test_missing_event_changes_the_result)
{
    int early = 0, late = 0;
    cudasim_expect_faults(1);
    for (unsigned seed = 0; seed < 20; seed++) {
        cudasim_seed(seed);
        cudaStream_t first = new_stream(), second = new_stream();
        int *x = device_array<int>(N), *y = device_array<int>(N);
        add_elements(N, x, 5, first);
        copy_elements(N, x, y, second);
        SUCCEEDS(cudaDeviceSynchronize());
        (host_copy(y, N)[0] == 5 ? late : early)++;
    }
    ck_assert_int_gt(early, 0);
    ck_assert_int_gt(late, 0);
}
END_TEST

/* Two writers, a reader and a writer, two readers; copies and fills as well as kernels. */
START_TEST(test_what_races_between_streams)
{
    if (!cudasim_checks_accesses()) {
        return;
    }
    cudasim_expect_faults(1);
    cudaStream_t first = new_stream(), second = new_stream();
    int *x = device_array<int>(N), *y = device_array<int>(N);
    for (int what = 0; what < 5; what++) {
        cudasim_seed((unsigned)_i);
        cudasim_forget_faults();
        if (what == 0) {
            read_elements(N, x, first);
            read_elements(N, x, second);
        } else if (what == 1) {
            add_elements(N, x, 1, first);
            add_elements(N, x, 1, second);
        } else if (what == 2) {
            read_elements(N, x, first);
            SUCCEEDS(cudaMemsetAsync(x, 0, N * sizeof(int), second));
        } else if (what == 3) {
            SUCCEEDS(cudaMemcpyAsync(y, x, N * sizeof(int), cudaMemcpyDeviceToDevice, first));
            add_elements(1, x, 1, second);
        } else {
            read_elements(N / 2, x, first);
            add_elements(N / 2, x + N / 2, 1, second);
        }
        SUCCEEDS(cudaDeviceSynchronize());
        ck_assert_msg(strcmp(kind_of_faults(), what == 0 || what == 4 ? "none" : "stream race") == 0, "%d: %s", what,
                      kind_of_faults());
    }
}
END_TEST

/* Blocking streams wait for the legacy stream and it for them; others do not. */
START_TEST(test_legacy_stream)
{
    cudasim_seed((unsigned)_i);
    cudasim_expect_faults(1);
    cudaStream_t blocking;
    SUCCEEDS(cudaStreamCreate(&blocking));
    int *x = device_array<int>(N), *y = device_array<int>(N);
    unsigned long before = cudasim_count(CUDASIM_DEFAULT_STREAM);
    add_elements(N, x, 3, blocking);
    copy_elements(N, x, y, nullptr);
    add_elements(N, y, 4, blocking);
    SUCCEEDS(cudaStreamSynchronize(nullptr));
    SUCCEEDS(cudaStreamSynchronize(blocking));
    ck_assert_uint_eq(cudasim_count(CUDASIM_DEFAULT_STREAM) - before, 1);
    ck_assert_int_eq(host_copy(y, N)[7], 7);
    ck_assert_str_eq(kind_of_faults(), "none");
    cudaStream_t other = new_stream();
    add_elements(N, x, 3, other);
    add_elements(N, x, 3, nullptr);
    SUCCEEDS(cudaDeviceSynchronize());
    ck_assert_str_eq(kind_of_faults(), cudasim_checks_accesses() ? "stream race" : "none");
}
END_TEST

/* Work runs late: not before something waits. Pageable memory is read at the call, pinned memory when the work runs. */
START_TEST(test_work_runs_late)
{
    cudaStream_t stream = new_stream();
    int *x = device_array<int>(N), *pinned, pageable[4] = {1, 1, 1, 1};
    SUCCEEDS(cudaMallocHost(&pinned, 4 * sizeof(int)));
    for (int i = 0; i < 4; i++) {
        pinned[i] = 1;
    }
    SUCCEEDS(cudaMemcpyAsync(x, pageable, sizeof pageable, cudaMemcpyHostToDevice, stream));
    SUCCEEDS(cudaMemcpyAsync(x + 4, pinned, sizeof pageable, cudaMemcpyHostToDevice, stream));
    pageable[0] = pinned[0] = 2;
    SUCCEEDS(cudaStreamSynchronize(stream));
    std::vector<int> got = host_copy(x, 8);
    ck_assert_int_eq(got[0], 1);
    ck_assert_int_eq(got[4], 2);
    add_elements(N, x, 1, stream);
    SUCCEEDS(cudaMemcpyAsync(pinned, x, sizeof pageable, cudaMemcpyDeviceToHost, stream));
    ck_assert_int_eq(pinned[1], 1);
    unsigned long waits = cudasim_count(CUDASIM_WAITS);
    SUCCEEDS(cudaMemcpyAsync(pageable, x, sizeof pageable, cudaMemcpyDeviceToHost, stream));
    ck_assert_uint_eq(cudasim_count(CUDASIM_WAITS), waits + 1);
    ck_assert_int_eq(pageable[1], 2);
    ck_assert_int_eq(pinned[1], 2);
    SUCCEEDS(cudaHostRegister(pageable, sizeof pageable, 0));
    REFUSED(cudaErrorHostMemoryAlreadyRegistered, cudaHostRegister(pageable + 1, sizeof(int), 0));
    SUCCEEDS(cudaMemcpyAsync(pageable, x + 4, sizeof pageable, cudaMemcpyDeviceToHost, stream));
    ck_assert_int_eq(pageable[0], 2); /* from x[0], which was 1 + 1 */
    SUCCEEDS(cudaStreamSynchronize(stream));
    ck_assert_int_eq(pageable[0], 3);
    SUCCEEDS(cudaHostUnregister(pageable));
    SUCCEEDS(cudaFreeHost(pinned));
}
END_TEST

START_TEST(test_events)
{
    cudaStream_t stream = new_stream();
    cudaEvent_t begin, end;
    int *x = device_array<int>(N);
    float ms = -1.0f;
    SUCCEEDS(cudaEventCreate(&begin));
    SUCCEEDS(cudaEventCreate(&end));
    SUCCEEDS(cudaEventQuery(begin)); /* one that was never recorded */
    REFUSED(cudaErrorInvalidResourceHandle, cudaEventElapsedTime(&ms, begin, end));
    SUCCEEDS(cudaEventRecord(begin, stream));
    for (int i = 0; i < 100; i++) {
        add_elements(N, x, 1, stream);
    }
    SUCCEEDS(cudaEventRecord(end, stream));
    REFUSED(cudaErrorNotReady, cudaEventQuery(end));
    REFUSED(cudaErrorNotReady, cudaStreamQuery(stream));
    REFUSED(cudaErrorNotReady, cudaEventElapsedTime(&ms, begin, end));
    int asked = 0;
    while (cudaEventQuery(end) == cudaErrorNotReady) {
        asked++;
    }
    ck_assert_int_gt(asked, 10);
    SUCCEEDS(cudaStreamQuery(stream));
    SUCCEEDS(cudaEventElapsedTime(&ms, begin, end));
    ck_assert(ms > 0.0f && ms < 60000.0f);
    ck_assert_int_eq(host_copy(x, N)[0], 100 + 0 * asked);
    SUCCEEDS(cudaEventDestroy(begin));
    REFUSED(cudaErrorInvalidResourceHandle, cudaEventDestroy(begin));
}
END_TEST

struct call_data {
    int *pinned, seen;
    cudaError_t inside;
};

static void host_function(void *data)
{
    call_data *d = (call_data *)data;
    d->seen = d->pinned[0];
    d->inside = d->inside == cudaSuccess ? cudaSuccess : cudaDeviceSynchronize();
}

START_TEST(test_host_function)
{
    cudaStream_t stream = new_stream();
    int *x = device_array<int>(N), *pinned;
    SUCCEEDS(cudaMallocHost(&pinned, sizeof(int)));
    call_data data = {pinned, 0, cudaSuccess};
    add_elements(N, x, 8, stream);
    SUCCEEDS(cudaMemcpyAsync(pinned, x, sizeof(int), cudaMemcpyDeviceToHost, stream));
    SUCCEEDS(cudaLaunchHostFunc(stream, host_function, &data));
    SUCCEEDS(cudaMemsetAsync(pinned, 0, sizeof(int), stream));
    ck_assert_int_eq(data.seen, 0);
    SUCCEEDS(cudaStreamSynchronize(stream));
    ck_assert_int_eq(data.seen, 8);
    cudasim_expect_faults(1);
    data.inside = cudaErrorUnknown;
    SUCCEEDS(cudaLaunchHostFunc(stream, host_function, &data));
    SUCCEEDS(cudaStreamSynchronize(stream));
    REFUSED(cudaErrorNotPermitted, data.inside);
    ck_assert_str_eq(kind_of_faults(), "argument");
}
END_TEST

/* Any number of the host's threads, each with a stream. */
START_TEST(test_host_threads)
{
    std::vector<std::thread> threads;
    int *x = device_array<int>(8 * N);
    cudasim_seed((unsigned)_i);
    for (int t = 0; t < 8; t++) {
        threads.emplace_back([x, t] {
            cudaStream_t stream;
            cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
            for (int i = 0; i < 20; i++) {
                add_elements(N, x + t * N, t, stream);
                if (i % 7 == t % 7) {
                    cudaStreamSynchronize(stream);
                }
            }
            cudaStreamSynchronize(stream);
            cudaStreamDestroy(stream);
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    std::vector<int> got = host_copy(x, 8 * N);
    for (int i = 0; i < 8 * N; i++) {
        ck_assert_int_eq(got[(size_t)i], 20 * (i / N));
    }
}
END_TEST

/* What the simulated libraries use. */
START_TEST(test_work_of_libraries)
{
    cudaStream_t stream = new_stream();
    int *x = device_array<int>(4), *fresh, sum = 0;
    SUCCEEDS(cudaMalloc(&fresh, 4 * sizeof(int)));
    cudasim_expect_faults(1);
    auto work = [&sum, stream](const int *p, size_t bytes) {
        SUCCEEDS(cudasim::enqueue(stream, "library", [&sum, p, bytes] {
            if (cudasim::device_read(p, bytes, "library")) {
                sum += p[0];
            }
        }));
    };
    add_elements(4, x, 6, stream);
    work(x, 16);
    ck_assert_int_eq(sum, 0);
    SUCCEEDS(cudaStreamSynchronize(stream));
    ck_assert_int_eq(sum, 6);
    ck_assert_str_eq(kind_of_faults(), "none");
    ck_assert(cudasim::is_device_memory(x, 16) && !cudasim::is_device_memory(x, 17) && !cudasim::is_device_memory(&sum, 4));
    ck_assert(cudasim::is_stream(stream) && cudasim::is_stream(nullptr) && !cudasim::is_stream((cudaStream_t)&sum));
    if (cudasim_checks_accesses()) {
        work(fresh, 4);
        SUCCEEDS(cudaStreamSynchronize(stream));
        ck_assert_str_eq(kind_of_faults(), "uninitialised read");
        cudasim_forget_faults();
    }
    work(x, 17);
    REFUSED(cudaErrorIllegalAddress, cudaStreamSynchronize(stream));
    ck_assert_str_eq(kind_of_faults(), "out of bounds");
}
END_TEST

START_TEST(test_handles)
{
    cudaStream_t stream = new_stream(), none;
    SUCCEEDS(cudaStreamDestroy(stream));
    REFUSED(cudaErrorInvalidResourceHandle, cudaStreamSynchronize(stream));
    REFUSED(cudaErrorInvalidResourceHandle, cudaStreamDestroy(stream));
    REFUSED(cudaErrorInvalidResourceHandle, cudaStreamDestroy(nullptr));
    REFUSED(cudaErrorInvalidValue, cudaStreamCreateWithFlags(&none, 2));
    REFUSED(cudaErrorInvalidDevice, cudaSetDevice(1));
    cudasim_set_devices(2);
    SUCCEEDS(cudaSetDevice(1));
    cudaStream_t other = new_stream();
    int *x = device_array<int>(4), device = -1;
    SUCCEEDS(cudaStreamGetDevice(other, &device));
    ck_assert_int_eq(device, 1);
    SUCCEEDS(cudaMemsetAsync(x, 0, 16, other));
    SUCCEEDS(cudaSetDevice(0));
    REFUSED(cudaErrorInvalidResourceHandle, cudaMemsetAsync(x, 0, 16, other));
    SUCCEEDS(cudaStreamSynchronize(other));
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("cudasim_streams");
    TCase *t = tcase_create("streams");
    tcase_set_timeout(t, 300);
    tcase_add_loop_test(t, test_missing_event, 0, SEEDS);
    tcase_add_test(t, test_missing_event_changes_the_result);
    tcase_add_loop_test(t, test_what_races_between_streams, 0, SEEDS);
    tcase_add_loop_test(t, test_legacy_stream, 0, SEEDS);
    tcase_add_test(t, test_work_runs_late);
    tcase_add_test(t, test_events);
    tcase_add_test(t, test_host_function);
    tcase_add_loop_test(t, test_host_threads, 0, SEEDS);
    tcase_add_test(t, test_work_of_libraries);
    tcase_add_test(t, test_handles);
    suite_add_tcase(s, t);
    return s;
}

SUITE_MAIN(suite)
