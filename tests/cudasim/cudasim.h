/* SPDX-License-Identifier: Apache-2.0 */
/* What a test says to the simulated device. */
#ifndef CUDASIM_H
#define CUDASIM_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CUDASIM_API __attribute__((visibility("default")))

/* Orders of threads, blocks and streams follow from it; at first from the environment's CUDASIM_SEED, or 1. */
CUDASIM_API void cudasim_seed(unsigned seed);

/* Faults are violations of the rules of the device: kinds "out of bounds", "use after free", "uninitialised read",
 * "divergent barrier", "divergent warp", "deadlock", "shared race", "global race", "stream race", "misaligned", "ignored
 * error", "argument", "leak". One that is not expected is printed and ends the process by abort(); where they are expected
 * they are kept instead. */
CUDASIM_API void cudasim_expect_faults(int expected);
CUDASIM_API size_t cudasim_faults(void);
CUDASIM_API const char *cudasim_fault_kind(size_t index); /* NULL beyond the last */
CUDASIM_API const char *cudasim_fault_message(size_t index);
CUDASIM_API void cudasim_forget_faults(void); /* and sticky errors */

/* Whether kernels were compiled so that every access of theirs is checked (race checks, uninitialised reads), or so that the
 * address sanitizer checks them. */
CUDASIM_API int cudasim_checks_accesses(void);

typedef enum cudasim_event {
    CUDASIM_LAUNCHES = 0,   /* of kernels, those of graphs included */
    CUDASIM_GRAPH_LAUNCHES, /* of whole graphs */
    CUDASIM_LIBRARY_CALLS,  /* cuBLAS, cuSPARSE, cuSOLVER: that compute */
    CUDASIM_COPIES,         /* and fills */
    CUDASIM_WAITS,          /* of the host: synchronisation, copies to pageable memory, freeing */
    CUDASIM_ALLOCATIONS,    /* of device or pinned memory */
    CUDASIM_DEFAULT_STREAM, /* anything put into the legacy or the per-thread default stream */
    CUDASIM_CALLS,          /* that put something into a stream: what the host pays for */
    CUDASIM_EVENTS
} cudasim_event;

/* How often it happened in this process. */
CUDASIM_API unsigned long cudasim_count(cudasim_event event);

/* From here on device memory beyond `bytes` in all is refused, or the n-th allocation from now (0: the next; -1: none). */
CUDASIM_API void cudasim_limit_memory(size_t bytes);
CUDASIM_API void cudasim_fail_allocation(long n);
/* Number of devices that there are, at first 1 (each with its own memory limits is not simulated). */
CUDASIM_API void cudasim_set_devices(int n);
/* Device memory in use now. */
CUDASIM_API size_t cudasim_memory_used(void);
/* Allocations (of device or pinned memory), streams, events and graphs that were made and not destroyed: their number. Where
 * there are any, a fault of kind "leak" says which. */
CUDASIM_API size_t cudasim_check_leaks(void);

#ifdef __cplusplus
}
#endif

#endif
