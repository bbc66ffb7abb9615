/* SPDX-License-Identifier: Apache-2.0 */
/* Faults that are planted in kernels are found, whatever the order of threads; kernels without them are not suspected. */
#include "test_support.h"

#include <functional>

/* A planted kernel: which faults it makes, in a build that checks accesses and in one that does not (NULL: none there; it
 * may go unnoticed). */
struct planted_case {
    const char *name, *checked, *unchecked;
    std::function<void(bool planted, const int *x, int *y, cudaStream_t stream)> run;
    std::function<int(int i)> right; /* y[i] of the healthy twin */
};

static int reversed(int i)
{
    return i / BLOCK * BLOCK + BLOCK - 1 - i % BLOCK;
}

static int sum_of_warp(int i)
{
    return 32 * (i / 32 * 32) + 496;
}

static int host_values[BLOCK];

static const std::vector<planted_case> &cases()
{
    static const std::vector<planted_case> all = {
        {"missing barrier", "shared race", nullptr,
         [](bool p, const int *x, int *y, cudaStream_t s) { plant_missing_barrier(BLOCKS, x, y, p, s); }, reversed},
        {"divergent barrier", "divergent barrier", "divergent barrier",
         [](bool p, const int *, int *y, cudaStream_t s) { plant_divergent_barrier(BLOCKS, y, p, s); },
         [](int) { return 10; }},
        {"exit before a barrier", "divergent barrier", "divergent barrier",
         [](bool p, const int *, int *y, cudaStream_t s) { plant_exit_before_barrier(BLOCKS, y, p, s); },
         [](int) { return 1; }},
        {"divergent shuffle", "divergent warp", "divergent warp",
         [](bool p, const int *x, int *y, cudaStream_t s) { plant_divergent_shuffle(BLOCKS, x, y, p, s); }, sum_of_warp},
        {"shuffle from a lane that the mask does not name", "divergent warp", "divergent warp",
         [](bool p, const int *x, int *y, cudaStream_t s) { plant_wrong_mask(BLOCKS, x, y, p, s); },
         [](int i) { return i % 32 < 16 ? i / 32 * 32 + 5 : i; }},
        {"two operations of a warp meet", "divergent warp", "divergent warp",
         [](bool p, const int *x, int *y, cudaStream_t s) { plant_meeting(BLOCKS, x, y, p, s); },
         [](int i) { return i < 32 ? -2 : -1; }},
        {"a lane waits for its warp, which waits for the block", "deadlock", "deadlock",
         [](bool p, const int *, int *y, cudaStream_t s) { plant_wait_for_warp(BLOCKS, y, p, s); }, [](int) { return 1; }},
        {"lanes wait in a circle", "divergent warp", "divergent warp",
         [](bool p, const int *, int *y, cudaStream_t s) { plant_circle(BLOCKS, y, p, s); }, [](int) { return 1; }},
        {"race in shared memory", "shared race", nullptr,
         [](bool p, const int *, int *y, cudaStream_t s) { plant_shared_race(BLOCKS, y, p, s); }, [](int) { return BLOCK; }},
        {"race in a warp", "shared race", nullptr,
         [](bool p, const int *x, int *y, cudaStream_t s) { plant_warp_race(BLOCKS, x, y, p, s); },
         [](int i) { return (i ^ 31) / 16 * 16 + ((i ^ 31) + 1) % 16; }},
        {"shared memory that was not written", "uninitialised read", nullptr,
         [](bool p, const int *, int *y, cudaStream_t s) { plant_shared_unwritten(BLOCKS, y, p, s); },
         [](int) { return 1; }},
        {"beyond a variable in shared memory", "out of bounds", nullptr,
         [](bool p, const int *, int *y, cudaStream_t s) { plant_shared_bounds(BLOCKS, y, p, s); }, [](int) { return 7; }},
        {"race of blocks", "global race", nullptr,
         [](bool p, const int *, int *y, cudaStream_t s) { plant_block_race(BLOCKS, y, p, s); },
         [](int i) { return i == 0 ? N : 0; }},
        {"race of threads in global memory", "global race", nullptr,
         [](bool p, const int *, int *y, cudaStream_t s) { plant_thread_race(BLOCKS, y, p, s); },
         [](int i) { return (i % BLOCK + 33) % BLOCK; }},
        {"misaligned", "misaligned", nullptr,
         [](bool p, const int *x, int *y, cudaStream_t s) { plant_misaligned(1, (const float *)x, (float *)y, p, s); },
         [](int i) { return i < 60 ? i : 0; }},
        {"memory of the host's", "out of bounds", nullptr,
         [](bool p, const int *, int *y, cudaStream_t s) { plant_constant(BLOCKS, host_values, y, p, s); },
         [](int i) { return i % 8 * (i % 8); }},
        {"race of halves of a word", "global race", nullptr,
         [](bool p, const int *, int *y, cudaStream_t s) { plant_short_race(BLOCKS, (unsigned short *)y, p, s); },
         [](int i) { return i < N / 2 ? 7 << 16 | 7 : 0; }},
        {"out of bounds", "out of bounds", nullptr,
         [](bool p, const int *x, int *y, cudaStream_t s) {
             plant_out_of_bounds(BLOCKS, (const float *)x, (float *)y, p, s);
         },
         [](int i) { return i; }},
    };
    return all;
}

START_TEST(test_planted_faults_are_found)
{
    int *x = device_copy(counting(N));
    cudaStream_t stream = new_stream();
    cudasim_expect_faults(1);
    for (const planted_case &c : cases()) {
        const char *kind = cudasim_checks_accesses() ? c.checked : c.unchecked;
        if (kind == nullptr) {
            continue;
        }
        cudasim_seed((unsigned)_i);
        int *y = device_array<int>(N);
        c.run(true, x, y, stream);
        SUCCEEDS(cudaGetLastError());
        cudaError_t error = cudaStreamSynchronize(stream);
        bool goes_on = strstr(kind, "race") != nullptr || strstr(kind, "read") != nullptr;
        ck_assert_msg(there_is(kind), "%s, seed %d: no fault of the kind \"%s\"", c.name, _i, kind);
        ck_assert_msg((error == cudaSuccess) == goes_on, "%s, seed %d: %s", c.name, _i, cudaGetErrorName(error));
        ck_assert_ptr_nonnull(strstr(cudasim_fault_message(0), "_kernel, block ("));
        cudasim_forget_faults();
    }
}
END_TEST

START_TEST(test_healthy_twins_are_not_suspected)
{
    int *x = device_copy(counting(N));
    cudaStream_t stream = new_stream();
    cudasim_expect_faults(1);
    for (const planted_case &c : cases()) {
        cudasim_seed((unsigned)_i);
        int *y = device_array<int>(N);
        c.run(false, x, y, stream);
        SUCCEEDS(cudaGetLastError());
        SUCCEEDS(cudaStreamSynchronize(stream));
        std::vector<int> got = host_copy(y, N);
        ck_assert_msg(cudasim_faults() == 0, "%s: %s: %s", c.name, cudasim_fault_kind(0), cudasim_fault_message(0));
        for (int i = 0; i < N; i++) {
            ck_assert_msg(got[(size_t)i] == c.right(i), "%s, seed %d: y[%d] is %d, not %d", c.name, _i, i, got[(size_t)i],
                          c.right(i));
        }
    }
}
END_TEST

/* In some order of threads a missing barrier shows in the result. */
START_TEST(test_missing_barrier_changes_the_result)
{
    int wrong = 0;
    cudasim_expect_faults(1);
    for (unsigned seed = 0; seed < SEEDS; seed++) {
        cudasim_seed(seed);
        int *x = device_copy(counting(N)), *y = device_array<int>(N);
        cudaStream_t stream = new_stream();
        plant_missing_barrier(BLOCKS, x, y, true, stream);
        SUCCEEDS(cudaStreamSynchronize(stream));
        std::vector<int> got = host_copy(y, N);
        for (int i = 0; i < N; i++) {
            wrong += got[(size_t)i] != reversed(i);
        }
    }
    ck_assert_int_gt(wrong, 0);
}
END_TEST

/* Where the address sanitizer checks kernels it ends the process. */
START_TEST(test_address_sanitizer_sees_kernels)
{
    if (cudasim_checks_accesses()) {
        return;
    }
    int *x = device_copy(counting(N));
    for (const char *name : {"out of bounds", "beyond a variable in shared memory"}) {
        for (const planted_case &c : cases()) {
            if (strcmp(c.name, name) != 0) {
                continue;
            }
            for (bool planted : {true, false}) {
                int end = end_of([&] {
                    c.run(planted, x, device_array<int>(N), nullptr);
                    cudaDeviceSynchronize();
                });
                ck_assert_msg((end == 1000) != planted, "%s, planted %d: %d", c.name, planted, end);
            }
        }
    }
    SUCCEEDS(cudaFree(x));
    ck_assert_int_ne(end_of([&] {
                         read_elements(N, x, nullptr);
                         cudaDeviceSynchronize();
                     }),
                     1000);
}
END_TEST

START_TEST(test_use_after_free)
{
    if (!cudasim_checks_accesses()) {
        return;
    }
    cudaStream_t stream = new_stream();
    int *x = device_copy(counting(N));
    cudasim_expect_faults(1);
    read_elements(N, x, stream);
    SUCCEEDS(cudaStreamSynchronize(stream));
    ck_assert_uint_eq(cudasim_faults(), 0);
    SUCCEEDS(cudaFree(x));
    read_elements(N, x, stream);
    REFUSED(cudaErrorIllegalAddress, cudaStreamSynchronize(stream));
    ck_assert_str_eq(kind_of_faults(), "use after free");
    cudasim_forget_faults();
    int *y = device_array<int>(N); /* is another address */
    ck_assert_ptr_ne(x, y);
}
END_TEST

/* What was never written is not to be read, and a copy of it was not written either. */
START_TEST(test_uninitialised_read)
{
    if (!cudasim_checks_accesses()) {
        return;
    }
    cudaStream_t stream = new_stream();
    int *x, *y, *z = device_array<int>(N);
    cudasim_expect_faults(1);
    SUCCEEDS(cudaMalloc(&x, N * sizeof(int)));
    SUCCEEDS(cudaMalloc(&y, N * sizeof(int)));
    SUCCEEDS(cudaMemsetAsync(x, 0, 100 * sizeof(int), stream));
    SUCCEEDS(cudaMemcpyAsync(y, x, N * sizeof(int), cudaMemcpyDeviceToDevice, stream));
    copy_elements(100, y, z, stream);
    SUCCEEDS(cudaStreamSynchronize(stream));
    ck_assert_uint_eq(cudasim_faults(), 0);
    copy_elements(101, y, z, stream);
    SUCCEEDS(cudaStreamSynchronize(stream));
    ck_assert_str_eq(kind_of_faults(), "uninitialised read");
    cudasim_forget_faults();
    int value;
    SUCCEEDS(cudaMemcpy(&value, x + 99, sizeof value, cudaMemcpyDeviceToHost));
    ck_assert_uint_eq(cudasim_faults(), 0);
    SUCCEEDS(cudaMemcpy(&value, x + 100, sizeof value, cudaMemcpyDeviceToHost));
    ck_assert_str_eq(kind_of_faults(), "uninitialised read");
    ck_assert_int_eq(value, -1); /* poison */
}
END_TEST

START_TEST(test_indices_and_builtins)
{
    cudasim_seed((unsigned)_i);
    const dim3 grid(3, 2, 2), block(5, 4, 3);
    const size_t n = 12 * 60;
    int *y = device_array<int>(n);
    indices(grid, block, y, nullptr);
    std::vector<int> got = host_copy(y, n);
    for (size_t i = 0; i < n; i++) {
        ck_assert_int_eq(got[i], 1 + (int)i);
    }
    builtins(y, nullptr);
    got = host_copy(y, 16);
    for (size_t i = 0; i < 16; i++) {
        ck_assert_msg(got[i] == 1, "built-in %zu", i);
    }
}
END_TEST

/* An unexpected fault ends the process. */
START_TEST(test_unexpected_faults_abort)
{
    int *y = device_array<int>(N);
    ck_assert_int_eq(end_of([&] {
                         plant_divergent_barrier(BLOCKS, y, true, nullptr);
                         cudaDeviceSynchronize();
                     }),
                     SIGABRT);
    ck_assert_int_eq(end_of([&] {
                         plant_divergent_barrier(BLOCKS, y, false, nullptr);
                         cudaDeviceSynchronize();
                     }),
                     1000);
}
END_TEST

/* The names of kernels that ran, each once. */
START_TEST(test_coverage)
{
    char path[] = "/tmp/cudasim_coverage_XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    setenv("CUDASIM_COVERAGE", path, 1);
    int *y = device_array<int>(N);
    use_static_shared(y, false, nullptr);
    add_elements(N, y, 1, nullptr);
    add_elements(N, y, 1, nullptr);
    SUCCEEDS(cudaDeviceSynchronize());
    char content[1000] = "";
    ssize_t n = read(fd, content, sizeof content - 1);
    ck_assert_int_gt((int)n, 0);
    ck_assert_str_eq(content, "void static_shared_kernel<49152>(int*)\nadd_kernel(int, int*, int)\n");
    close(fd);
    unlink(path);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("cudasim_kernels");
    TCase *t = tcase_create("kernels");
    tcase_set_timeout(t, 300);
    tcase_add_loop_test(t, test_planted_faults_are_found, 0, SEEDS);
    tcase_add_loop_test(t, test_healthy_twins_are_not_suspected, 0, SEEDS);
    tcase_add_test(t, test_missing_barrier_changes_the_result);
    tcase_add_test(t, test_address_sanitizer_sees_kernels);
    tcase_add_test(t, test_use_after_free);
    tcase_add_test(t, test_uninitialised_read);
    tcase_add_loop_test(t, test_indices_and_builtins, 0, SEEDS);
    tcase_add_test(t, test_unexpected_faults_abort);
    tcase_add_test(t, test_coverage);
    suite_add_tcase(s, t);
    return s;
}

SUITE_MAIN(suite)
