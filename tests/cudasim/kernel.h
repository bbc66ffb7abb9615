/* SPDX-License-Identifier: Apache-2.0 */
/* A kernel that runs: a block at a time, each of its threads a fiber. */
#ifndef CUDASIM_KERNEL_H
#define CUDASIM_KERNEL_H

#include "queue.h"

#include <cudasim_device.h>

namespace cudasim {

enum thread_state { THREAD_READY, THREAD_AT_BARRIER, THREAD_AT_WARP, THREAD_EXITED };

struct device_thread {
    uint3 index;
    unsigned linear, lane, warp;
    thread_state state;

    /* fibers.cpp */
    void *stack_pointer;
    char *stack;  /* its lowest byte */
    bool cut_off; /* it did not come to its end: its stack is not as it should be left */

    /* where it waits, and with what */
    const char *file;
    unsigned line;
    barrier_kind barrier;
    int predicate;
    warp_kind operation;
    unsigned mask;
    uint64_t value, result;
    int argument, width;

    /* What is ordered within its warp since the last barrier: operations of the warp are numbered. epoch: the last one in
     * which it took part. What lane l did before operation n came before what this thread does now where n <= met_all or n
     * <= met[l] (races.cpp), which is not 0 throughout where met_some. */
    uint32_t epoch, met_all;
    bool met_some;
};

struct device_warp {
    unsigned arrived;    /* lanes that wait for a warp operation */
    unsigned there;      /* lanes that have not exited */
    uint32_t operations; /* since the last barrier */
};

/* The kernel that runs. */
struct kernel_run {
    const char *name;
    const void *kernel;
    kernel_caller *caller;
    const unsigned char *parameters;
    size_t parameter_bytes, dynamic_bytes;
    dim3 grid, block;
    uint3 block_index;
    unsigned threads;
    bool abandoned;
};
extern kernel_run run_now;
extern device_thread threads[MOST_THREADS];
extern device_warp warps[MOST_THREADS / WARP];

/* The thread of the device that runs on this thread of the host; NULL: none. */
extern thread_local device_thread *current __attribute__((tls_model("initial-exec")));

/* ---- fibers.cpp ---- */

extern const size_t stack_bytes;
void prepare_fiber(device_thread *t, void (*entry)());
/* From the scheduler to a thread, and back when no thread can run. */
void run_fiber(device_thread *t);
/* From the thread that runs to another that can, or to the scheduler. */
void leave_fiber(bool for_good);
void fiber_began(); /* what an entry calls first */

/* ---- blocks.cpp ---- */

void run_kernel(const kernel_call &call, const unsigned char *parameters);
/* NULL: none, or the kernel was abandoned. */
device_thread *next_to_run();
/* These threads can go on. */
void make_ready(device_thread *const *list, unsigned n);
/* A fault of a thread, which ends the kernel; where the thread runs it has to be abandoned next. Nothing on its stack is
 * destroyed then: nothing there may need to be. */
[[noreturn]] void abandon_thread();
void block_fault(const device_thread *t, const char *kind, cudaError_t error, const std::string &message);
/* "kernel K, block (x, y, z), thread (x, y, z)" */
std::string thread_place(const device_thread *t);

/* ---- shared.cpp ---- */

extern char *const shared_base; /* of a block's shared memory: what is static, then what is dynamic */
extern const size_t shared_room;
static inline bool in_shared(const void *p)
{
    return (uintptr_t)p - (uintptr_t)shared_base < shared_room;
}
bool is_shared_memory(const void *p, size_t bytes);
void begin_shared(size_t dynamic_bytes); /* of a kernel */
void fill_shared();                      /* of a block */

/* ---- races.cpp ---- */

void begin_thread(device_thread *t);
/* The lanes of the mask took part in the warp's latest operation. */
void warp_met(device_warp *w, device_thread *warp_threads, unsigned mask);

/* ---- limits (launch.cpp) ---- */

struct function_limits {
    size_t dynamic_bytes = STATIC_SHARED; /* most that a launch may ask for */
    size_t static_bytes = 0;              /* as far as it was seen */
};
function_limits &limits_of(const void *kernel);

/* ---- coverage.cpp ---- */

void note_kernel(const kernel_call &call);

} /* namespace cudasim */

#endif
