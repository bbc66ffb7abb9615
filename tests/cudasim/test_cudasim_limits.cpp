/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of launches and memory, and what becomes of errors. */
#include "test_support.h"

START_TEST(test_grids_and_blocks)
{
    struct {
        dim3 grid, block;
        bool right;
    } cases[] = {
        {dim3(0), dim3(1), false},        {dim3(1), dim3(0), false},           {dim3(1, 65535), dim3(1), true},
        {dim3(1, 65536), dim3(1), false}, {dim3(1, 1, 65536), dim3(1), false}, {dim3(2147483648u), dim3(1), false},
        {dim3(70000), dim3(1), true},     {dim3(1), dim3(1024), true},         {dim3(1), dim3(1025), false},
        {dim3(1), dim3(1, 1024), true},   {dim3(1), dim3(1, 1, 64), true},     {dim3(1), dim3(1, 1, 65), false},
        {dim3(1), dim3(32, 32), true},    {dim3(1), dim3(33, 32), false},      {dim3(1, 0), dim3(1), false},
    };
    for (auto &c : cases) {
        launch_with(c.grid, c.block, 0, nullptr);
        cudaError_t error = cudaGetLastError();
        ck_assert_msg(error == (c.right ? cudaSuccess : cudaErrorInvalidConfiguration),
                      "grid (%u, %u, %u), block (%u, %u, %u): %s", c.grid.x, c.grid.y, c.grid.z, c.block.x, c.block.y,
                      c.block.z, cudaGetErrorName(error));
        SUCCEEDS(cudaGetLastError());
        SUCCEEDS(cudaDeviceSynchronize());
    }
}
END_TEST

START_TEST(test_dynamic_shared_memory)
{
    const size_t most = 227 << 10;
    int *y = device_array<int>(1);
    use_dynamic_shared(y, 48 << 10, nullptr);
    SUCCEEDS(cudaGetLastError());
    use_dynamic_shared(y, (48 << 10) + 1, nullptr);
    REFUSED(cudaErrorInvalidValue, cudaGetLastError());
    REFUSED(cudaErrorInvalidValue,
            cudaFuncSetAttribute(dynamic_shared_function(), cudaFuncAttributeMaxDynamicSharedMemorySize, (int)most + 1));
    SUCCEEDS(cudaFuncSetAttribute(dynamic_shared_function(), cudaFuncAttributeMaxDynamicSharedMemorySize, (int)most));
    REFUSED(cudaErrorInvalidValue, cudaGetLastError());
    use_dynamic_shared(y, most, nullptr);
    SUCCEEDS(cudaGetLastError());
    use_dynamic_shared(y, most + 1, nullptr);
    REFUSED(cudaErrorInvalidValue, cudaGetLastError());
    ck_assert_int_eq(host_copy(y, 1)[0], 5);
}
END_TEST

START_TEST(test_static_shared_memory)
{
    int *y = device_array<int>(1);
    cudasim_expect_faults(1);
    use_static_shared(y, false, nullptr);
    SUCCEEDS(cudaDeviceSynchronize());
    ck_assert_str_eq(kind_of_faults(), "none");
    use_static_shared(y, true, nullptr);
    ck_assert_int_ne(cudaDeviceSynchronize(), cudaSuccess);
    ck_assert_str_eq(kind_of_faults(), "argument");
}
END_TEST

/* A launch that fails is asked about before anything else is done. */
START_TEST(test_ignored_error)
{
    cudaStream_t stream = new_stream();
    int *y = device_array<int>(N);
    cudasim_expect_faults(1);
    for (int next = 0; next < 5; next++) {
        for (bool asked : {true, false}) {
            cudasim_forget_faults();
            launch_with(0, 1, 0, stream);
            if (asked) {
                REFUSED(cudaErrorInvalidConfiguration, next % 2 == 0 ? cudaGetLastError() : cudaPeekAtLastError());
            }
            switch (next) {
            case 0: add_elements(N, y, 1, stream); break;
            case 1: SUCCEEDS(cudaStreamSynchronize(stream)); break;
            case 2: SUCCEEDS(cudaMemsetAsync(y, 0, N * sizeof(int), stream)); break;
            case 3: SUCCEEDS(cudaDeviceSynchronize()); break;
            default: launch_with(0, 1, 0, stream); break;
            }
            ck_assert_msg(strcmp(kind_of_faults(), asked ? "none" : "ignored error") == 0, "%d, asked: %d", next, asked);
            cudaGetLastError();
            SUCCEEDS(cudaStreamSynchronize(stream));
        }
    }
}
END_TEST

START_TEST(test_last_error)
{
    void *p;
    REFUSED(cudaErrorMemoryAllocation, cudaMalloc(&p, (size_t)1 << 40));
    SUCCEEDS(cudaDeviceSynchronize()); /* does not stick */
    REFUSED(cudaErrorMemoryAllocation, cudaPeekAtLastError());
    REFUSED(cudaErrorMemoryAllocation, cudaGetLastError());
    SUCCEEDS(cudaGetLastError());
    ck_assert_str_eq(cudaGetErrorString(cudaErrorIllegalAddress), "an illegal memory access was encountered");
    ck_assert_str_eq(cudaGetErrorName((cudaError_t)12345), "unrecognized error code");
}
END_TEST

/* What a kernel did is what every call returns. */
START_TEST(test_sticky_error)
{
    cudaStream_t stream = new_stream();
    int *y = device_array<int>(N), value;
    void *p;
    cudasim_expect_faults(1);
    plant_divergent_barrier(BLOCKS, y, true, stream);
    SUCCEEDS(cudaGetLastError()); /* it did not run yet */
    add_elements(N, y, 1, stream);
    for (int i = 0; i < 2; i++) {
        REFUSED(cudaErrorLaunchFailure, cudaStreamSynchronize(stream));
        REFUSED(cudaErrorLaunchFailure, cudaGetLastError());
        REFUSED(cudaErrorLaunchFailure, cudaMalloc(&p, 4));
        REFUSED(cudaErrorLaunchFailure, cudaMemcpy(&value, y, sizeof value, cudaMemcpyDeviceToHost));
        REFUSED(cudaErrorLaunchFailure, cudaFree(y));
        add_elements(N, y, 1, stream);
    }
    ck_assert_str_eq(kind_of_faults(), "divergent barrier");
    cudasim_forget_faults();
    SUCCEEDS(cudaStreamSynchronize(stream));
    ck_assert_int_eq(host_copy(y, N)[0], 0); /* nothing ran after it */
}
END_TEST

START_TEST(test_memory)
{
    size_t free_now, total;
    char *p, *q;
    cudasim_limit_memory(1 << 20);
    SUCCEEDS(cudaMemGetInfo(&free_now, &total));
    ck_assert_uint_eq(total, 1 << 20);
    ck_assert_uint_eq(free_now, 1 << 20);
    SUCCEEDS(cudaMalloc(&p, 1000000));
    ck_assert_uint_ge(cudasim_memory_used(), 1000000);
    REFUSED(cudaErrorMemoryAllocation, cudaMalloc(&q, 100000));
    REFUSED(cudaErrorMemoryAllocation, cudaGetLastError());
    SUCCEEDS(cudaFree(p));
    ck_assert_uint_eq(cudasim_memory_used(), 0);
    REFUSED(cudaErrorInvalidValue, cudaFree(p));
    SUCCEEDS(cudaMalloc(&q, 100000));
    ck_assert_uint_eq((uintptr_t)q % 256, 0);
    REFUSED(cudaErrorInvalidValue, cudaFree(q + 256));
    REFUSED(cudaErrorInvalidValue, cudaFreeHost(q));
    cudasim_fail_allocation(1);
    SUCCEEDS(cudaMalloc(&p, 1));
    REFUSED(cudaErrorMemoryAllocation, cudaMallocHost(&p, 1));
    SUCCEEDS(cudaMallocHost(&p, 1));
    SUCCEEDS(cudaMalloc(&p, 0));
    ck_assert_ptr_null(p);
    SUCCEEDS(cudaFree(nullptr));
    SUCCEEDS(cudaMallocAsync(&p, 100, nullptr));
    SUCCEEDS(cudaFreeAsync(p, nullptr));
    SUCCEEDS(cudaDeviceSynchronize());
    REFUSED(cudaErrorInvalidValue, cudaFree(p));
    cudaPointerAttributes a;
    SUCCEEDS(cudaPointerGetAttributes(&a, q + 5));
    ck_assert(a.type == cudaMemoryTypeDevice && a.device == 0 && a.devicePointer == q + 5);
    SUCCEEDS(cudaPointerGetAttributes(&a, &a));
    ck_assert(a.type == cudaMemoryTypeUnregistered);
    ck_assert_int_eq(host_copy(device_array<int>(3), 3)[2], 0);
}
END_TEST

/* The host touches pinned memory, and not the device's: not before, while or after work runs. */
START_TEST(test_host_access)
{
    int *x = device_array<int>(N), *pinned;
    SUCCEEDS(cudaMallocHost(&pinned, sizeof(int)));
    add_elements(N, x, 1, nullptr);
    SUCCEEDS(cudaDeviceSynchronize());
    ck_assert_int_eq(end_of([&] {
                         signal(SIGSEGV, SIG_DFL);
                         volatile int value = x[0];
                         (void)value;
                     }) == 1000,
                     0);
    ck_assert_int_eq(end_of([&] { *pinned = 1; }), 1000);
    if (cudasim_checks_accesses()) {
        ck_assert_int_eq(end_of([&] { x[1] = 1; }), SIGSEGV);
    }
}
END_TEST

START_TEST(test_copies_check_their_arguments)
{
    int *x = device_array<int>(N), *y = device_array<int>(N), host[N] = {0};
    REFUSED(cudaErrorInvalidValue, cudaMemcpy(x + 1, host, N * sizeof(int), cudaMemcpyHostToDevice));
    REFUSED(cudaErrorInvalidValue, cudaMemset(x, 0, N * sizeof(int) + 1));
    REFUSED(cudaErrorInvalidValue, cudaMemset(host, 0, 4));
    REFUSED(cudaErrorInvalidMemcpyDirection, cudaMemcpy(x, host, 4, (cudaMemcpyKind)7));
    REFUSED(cudaErrorInvalidPitchValue, cudaMemcpy2D(x, 8, host, 16, 12, 2, cudaMemcpyHostToDevice));
    cudasim_expect_faults(1);
    REFUSED(cudaErrorInvalidValue, cudaMemcpy(x, y, 4, cudaMemcpyHostToDevice));
    ck_assert_str_eq(kind_of_faults(), "argument");
    cudasim_forget_faults();
    REFUSED(cudaErrorInvalidValue, cudaMemcpy(x, x + 1, 8, cudaMemcpyDeviceToDevice));
    ck_assert_str_eq(kind_of_faults(), "argument");
    cudasim_forget_faults();
    host[0] = 1, host[1] = 2, host[4] = 3, host[5] = 4;
    SUCCEEDS(cudaMemcpy2D(x, 12, host, 16, 8, 2, cudaMemcpyHostToDevice));
    SUCCEEDS(cudaMemcpy2DAsync(y, 8, x, 12, 8, 2, cudaMemcpyDeviceToDevice, nullptr));
    std::vector<int> got = host_copy(y, 4);
    ck_assert(got[0] == 1 && got[1] == 2 && got[2] == 3 && got[3] == 4);
    ck_assert_int_eq(host_copy(x, 3)[2], 0);
    ck_assert_uint_eq(cudasim_faults(), 0);
}
END_TEST

START_TEST(test_leaks)
{
    cudaStream_t stream = new_stream();
    cudaEvent_t event;
    int *x = device_array<int>(N), *pinned;
    cudaGraph_t graph;
    SUCCEEDS(cudaEventCreate(&event));
    SUCCEEDS(cudaMallocHost(&pinned, 4));
    SUCCEEDS(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal));
    SUCCEEDS(cudaStreamEndCapture(stream, &graph));
    cudasim_expect_faults(1);
    ck_assert_uint_eq(cudasim_check_leaks(), 5);
    ck_assert_str_eq(kind_of_faults(), "leak");
    ck_assert_str_eq(cudasim_fault_message(0),
                     "left behind: 1 allocations of device memory, 1 allocations of pinned memory, "
                     "1 streams, 1 events, 1 graphs");
    cudasim_forget_faults();
    SUCCEEDS(cudaFree(x));
    SUCCEEDS(cudaFreeHost(pinned));
    SUCCEEDS(cudaStreamDestroy(stream));
    SUCCEEDS(cudaEventDestroy(event));
    SUCCEEDS(cudaGraphDestroy(graph));
    ck_assert_uint_eq(cudasim_check_leaks(), 0);
    ck_assert_uint_eq(cudasim_faults(), 0);
}
END_TEST

START_TEST(test_devices)
{
    int n = -1, value = 0;
    cudaDeviceProp p;
    SUCCEEDS(cudaGetDeviceCount(&n));
    ck_assert_int_eq(n, 1);
    SUCCEEDS(cudaGetDeviceProperties(&p, 0));
    ck_assert(p.major == 9 && p.multiProcessorCount == 4 && p.totalGlobalMem == (size_t)2 << 30);
    SUCCEEDS(cudaDeviceGetAttribute(&value, cudaDevAttrMaxSharedMemoryPerBlockOptin, 0));
    ck_assert_int_eq(value, 227 << 10);
    REFUSED(cudaErrorInvalidDevice, cudaGetDeviceProperties(&p, 1));
    SUCCEEDS(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&n, dynamic_shared_function(), 256, 40 << 10));
    ck_assert_int_eq(n, 5);
    SUCCEEDS(cudaRuntimeGetVersion(&value));
    ck_assert_int_eq(value, 13000);
    cudasim_set_devices(0);
    REFUSED(cudaErrorNoDevice, cudaGetDeviceCount(&n));
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("cudasim_limits");
    TCase *t = tcase_create("limits");
    tcase_set_timeout(t, 300);
    tcase_add_test(t, test_grids_and_blocks);
    tcase_add_test(t, test_dynamic_shared_memory);
    tcase_add_test(t, test_static_shared_memory);
    tcase_add_test(t, test_ignored_error);
    tcase_add_test(t, test_last_error);
    tcase_add_test(t, test_sticky_error);
    tcase_add_test(t, test_memory);
    tcase_add_test(t, test_host_access);
    tcase_add_test(t, test_copies_check_their_arguments);
    tcase_add_test(t, test_leaks);
    tcase_add_test(t, test_devices);
    suite_add_tcase(s, t);
    return s;
}

SUITE_MAIN(suite)
