/* SPDX-License-Identifier: Apache-2.0 */
/* What the suites of the simulated device share. Each test runs in a process of its own; a loop test's _i is the seed. */
#ifndef CUDASIM_TEST_SUPPORT_H
#define CUDASIM_TEST_SUPPORT_H

#include "cudasim.h"
#include "planted.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#undef fail

enum { SEEDS = 6, BLOCKS = 5, BLOCK = 64, N = BLOCKS * BLOCK };

#define SUCCEEDS(call) ck_assert_str_eq(cudaGetErrorName(call), "cudaSuccess")
#define REFUSED(error, call) ck_assert_str_eq(cudaGetErrorName(call), #error)

/* The only kind of fault that there was; "none". */
static inline const char *kind_of_faults()
{
    const char *first = cudasim_fault_kind(0);
    for (size_t i = 1; i < cudasim_faults(); i++) {
        if (strcmp(cudasim_fault_kind(i), first) != 0) {
            ck_abort_msg("%s: %s; %s: %s", first, cudasim_fault_message(0), cudasim_fault_kind(i), cudasim_fault_message(i));
        }
    }
    return first == nullptr ? "none" : first;
}

static inline bool there_is(const char *kind)
{
    for (size_t i = 0; i < cudasim_faults(); i++) {
        if (strcmp(cudasim_fault_kind(i), kind) == 0) {
            return true;
        }
    }
    return false;
}

static inline cudaStream_t new_stream()
{
    cudaStream_t stream;
    SUCCEEDS(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
    return stream;
}

/* n elements of the device's memory, all of one value. */
template <class T> static inline T *device_array(size_t n)
{
    T *p;
    SUCCEEDS(cudaMalloc(&p, n * sizeof(T)));
    SUCCEEDS(cudaMemset(p, 0, n * sizeof(T)));
    SUCCEEDS(cudaDeviceSynchronize());
    return p;
}

template <class T> static inline T *device_copy(const std::vector<T> &values)
{
    T *p = device_array<T>(values.size());
    SUCCEEDS(cudaMemcpy(p, values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice));
    return p;
}

template <class T> static inline std::vector<T> host_copy(const T *p, size_t n)
{
    std::vector<T> values(n);
    SUCCEEDS(cudaMemcpy(values.data(), p, n * sizeof(T), cudaMemcpyDeviceToHost));
    return values;
}

/* 0, 1, 2, ... */
static inline std::vector<int> counting(size_t n)
{
    std::vector<int> values(n);
    for (size_t i = 0; i < n; i++) {
        values[i] = (int)i;
    }
    return values;
}

/* The signal or the exit status, as 1000 + status, with which a process ends that does this. */
template <class F> static inline int end_of(F what)
{
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        freopen("/dev/null", "w", stderr);
        what();
        _exit(0);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 1000 + WEXITSTATUS(status);
}

#define SUITE_MAIN(make_suite)                          \
    int main(void)                                      \
    {                                                   \
        SRunner *runner = srunner_create(make_suite()); \
        srunner_run_all(runner, CK_ENV);                \
        int bad = srunner_ntests_failed(runner);        \
        srunner_free(runner);                           \
        return bad == 0 ? EXIT_SUCCESS : EXIT_FAILURE;  \
    }

#endif
