/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the simulated libraries share: a stream, device memory that is freed with the test, faults that are
 * expected, small whole numbers so that sums are exact in every type and order. */
#ifndef CUDASIM_LIBRARIES_SUPPORT_H
#define CUDASIM_LIBRARIES_SUPPORT_H

#include "cudasim.h"
#include "test.h"

#include <cuda_runtime_api.h>
#include <stdbool.h>

/* Success of a function of the runtime or of a library, all of which have 0 for it. */
#define GOOD(expression)                                                            \
    do {                                                                            \
        int good_status = (int)(expression);                                        \
        ck_assert_msg(good_status == 0, "%s: status %d", #expression, good_status); \
    } while (0)

/* A fault of the kind, at the call or when the work runs. Nothing is left of it afterwards. */
#define FAULT(kind, expression)                                                                                     \
    do {                                                                                                            \
        cudasim_expect_faults(1);                                                                                   \
        (void)(expression);                                                                                         \
        cudaDeviceSynchronize();                                                                                    \
        ck_assert_msg(cudasim_faults() > 0, "%s: no fault", #expression);                                           \
        ck_assert_msg(strcmp(cudasim_fault_kind(0), (kind)) == 0, "%s: %s: %s", #expression, cudasim_fault_kind(0), \
                      cudasim_fault_message(0));                                                                    \
        cudasim_forget_faults();                                                                                    \
        cudasim_expect_faults(0);                                                                                   \
    } while (0)

/* A fault that is seen only where every access is checked; elsewhere nothing is done. */
#define CHECKED_FAULT(kind, expression)  \
    do {                                 \
        if (cudasim_checks_accesses()) { \
            FAULT(kind, expression);     \
        }                                \
    } while (0)

static cudaStream_t stream;
static void *owned[64];
static int n_owned;

static void begin_support(void)
{
    n_owned = 0;
    GOOD(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
}

static void end_support(void)
{
    GOOD(cudaDeviceSynchronize());
    for (int i = 0; i < n_owned; i++) {
        GOOD(cudaFree(owned[i]));
    }
    GOOD(cudaStreamDestroy(stream));
}

/* Uninitialised device memory. */
static void *device_memory(size_t bytes)
{
    void *p = NULL;
    ck_assert(n_owned < 64);
    GOOD(cudaMalloc(&p, bytes));
    owned[n_owned++] = p;
    return p;
}

/* Frees before the test ends. */
static void device_free(void *p)
{
    GOOD(cudaFree(p));
    for (int i = 0; i < n_owned; i++) {
        if (owned[i] == p) {
            owned[i] = owned[--n_owned];
            return;
        }
    }
    ck_abort_msg("not owned");
}

static inline void *device_copy(const void *host, size_t bytes)
{
    void *p = device_memory(bytes);
    GOOD(cudaMemcpy(p, host, bytes, cudaMemcpyHostToDevice));
    return p;
}

static void fetch(void *host, const void *device, size_t bytes)
{
    GOOD(cudaStreamSynchronize(stream));
    GOOD(cudaMemcpy(host, device, bytes, cudaMemcpyDeviceToHost));
}

static uint64_t random_state;

/* A whole number from -2 to 2. */
static inline float small(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (float)((random_state >> 40) % 5) - 2.0f;
}

#endif
