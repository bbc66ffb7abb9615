/* SPDX-License-Identifier: Apache-2.0 */
/* Runs kernels: block after block in some order, and the threads of a block in some order between barriers. */
#include "kernel.h"
#include "races.h"

#include <string.h>

namespace cudasim {

kernel_run run_now;
device_thread threads[MOST_THREADS];
device_warp warps[MOST_THREADS / WARP];

/* In which order threads that could run do. */
enum { ASCENDING, DESCENDING, RANDOM_WARPS, RANDOM_THREADS, ORDERS };
static unsigned order_now;

/* Threads that can run; the last comes first. */
static device_thread *ready[MOST_THREADS];
static unsigned n_ready, n_exited, n_at_barrier;

CUDASIM_PUBLIC uint3 thread_index()
{
    return current->index;
}

CUDASIM_PUBLIC uint3 block_index()
{
    return run_now.block_index;
}

CUDASIM_PUBLIC dim3 block_extent()
{
    return run_now.block;
}

CUDASIM_PUBLIC dim3 grid_extent()
{
    return run_now.grid;
}

std::string thread_place(const device_thread *t)
{
    const uint3 &b = run_now.block_index;
    return text("kernel %s, block (%u, %u, %u), thread (%u, %u, %u)", run_now.name, b.x, b.y, b.z, t->index.x, t->index.y,
                t->index.z);
}

void block_fault(const device_thread *t, const char *kind, cudaError_t error, const std::string &message)
{
    run_now.abandoned = true;
    kernel_fault(kind, error, true, thread_place(t) + ": " + message);
}

void abandon_thread()
{
    leave_fiber(true);
    __builtin_unreachable();
}

void make_ready(device_thread *const *list, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        device_thread *t = list[order_now == ASCENDING || order_now == RANDOM_WARPS ? n - 1 - i : i];
        t->state = THREAD_READY;
        ready[n_ready++] = t;
    }
}

device_thread *next_to_run()
{
    if (n_ready == 0 || run_now.abandoned) {
        return nullptr;
    }
    if (order_now == RANDOM_THREADS) {
        std::swap(ready[chance(n_ready)], ready[n_ready - 1]);
    }
    return ready[--n_ready];
}

/* All threads: at the begin, and after a barrier. */
static void make_all_ready()
{
    device_thread *list[MOST_THREADS];
    unsigned order[MOST_THREADS / WARP], n_warps = (run_now.threads + WARP - 1) / WARP, n = 0;
    order_now = chance(ORDERS);
    for (unsigned w = 0; w < n_warps; w++) {
        order[w] = w;
    }
    if (order_now == RANDOM_WARPS) {
        shuffle(order, n_warps);
    }
    for (unsigned w = 0; w < n_warps; w++) {
        for (unsigned t = order[w] * WARP; t < order[w] * WARP + WARP && t < run_now.threads; t++) {
            list[n++] = &threads[t];
        }
    }
    n_ready = 0;
    make_ready(list, n);
}

static void enter_thread()
{
    fiber_began();
    run_now.caller(run_now.kernel, run_now.parameters);
    device_thread *t = current;
    t->state = THREAD_EXITED;
    warps[t->warp].there &= ~(1u << t->lane);
    n_exited++;
    leave_fiber(true);
}

static void begin_threads()
{
    const dim3 &extent = run_now.block;
    memset(warps, 0, sizeof warps);
    for (unsigned i = 0; i < run_now.threads; i++) {
        device_thread *t = &threads[i];
        t->index = {i % extent.x, i / extent.x % extent.y, i / extent.x / extent.y};
        t->linear = i;
        t->lane = i % WARP;
        t->warp = i / WARP;
        warps[t->warp].there |= 1u << t->lane;
        begin_thread(t);
        prepare_fiber(t, enter_thread);
    }
    n_exited = n_at_barrier = 0;
}

static std::string code_line(const char *file, unsigned line)
{
    const char *slash = strrchr(file, '/');
    return text("%s:%u", slash == nullptr ? file : slash + 1, line);
}

/* No thread can run, and not all have exited: they wait at a barrier, all at the same, or something is wrong. */
static bool pass_barrier()
{
    const device_thread *first = nullptr, *exited = nullptr;
    int count = 0, all = 1, any = 0;
    for (unsigned i = 0; i < run_now.threads; i++) {
        const device_thread *t = &threads[i];
        if (t->state == THREAD_AT_WARP) {
            const device_warp &w = warps[t->warp];
            block_fault(t, (t->mask & ~w.there) != 0 ? "divergent warp" : "deadlock", cudaErrorLaunchFailure,
                        text("waits at %s for lanes %#x of its warp, which never come (here are %#x, waiting %#x)",
                             code_line(t->file, t->line).c_str(), t->mask & ~w.arrived, w.there, w.arrived));
            return false;
        }
        if (t->state == THREAD_EXITED) {
            exited = t;
            continue;
        }
        first = first == nullptr ? t : first;
        if (t->line != first->line || t->barrier != first->barrier ||
            (t->file != first->file && strcmp(t->file, first->file) != 0)) {
            block_fault(t, "divergent barrier", cudaErrorLaunchFailure,
                        text("waits at the barrier at %s, thread (%u, %u, %u) at that at %s",
                             code_line(t->file, t->line).c_str(), first->index.x, first->index.y, first->index.z,
                             code_line(first->file, first->line).c_str()));
            return false;
        }
        count += t->predicate != 0;
        all = all && t->predicate != 0;
        any = any || t->predicate != 0;
    }
    if (exited != nullptr) {
        block_fault(first, "divergent barrier", cudaErrorLaunchFailure,
                    text("waits at the barrier at %s, but thread (%u, %u, %u) has exited",
                         code_line(first->file, first->line).c_str(), exited->index.x, exited->index.y, exited->index.z));
        return false;
    }
    int result = first->barrier == BARRIER_COUNT ? count : first->barrier == BARRIER_AND ? all : any;
    for (unsigned i = 0; i < run_now.threads; i++) {
        threads[i].result = (uint64_t)result;
        begin_thread(&threads[i]);
    }
    for (device_warp &w : warps) {
        w.operations = 0;
    }
    n_at_barrier = 0;
    begin_interval();
    make_all_ready();
    return true;
}

CUDASIM_PUBLIC int block_barrier(barrier_kind kind, int predicate, const char *file, unsigned line)
{
    device_thread *t = current;
    t->barrier = kind;
    t->predicate = predicate;
    t->file = file;
    t->line = line;
    t->state = THREAD_AT_BARRIER;
    n_at_barrier++;
    leave_fiber(false);
    return (int)t->result;
}

static void run_block(uint64_t number)
{
    const dim3 &grid = run_now.grid;
    run_now.block_index = {(unsigned)(number % grid.x), (unsigned)(number / grid.x % grid.y),
                           (unsigned)(number / grid.x / grid.y)};
    begin_block();
    fill_shared();
    begin_threads();
    make_all_ready();
    do {
        for (device_thread *t = next_to_run(); t != nullptr; t = next_to_run()) {
            run_fiber(t);
        }
    } while (!run_now.abandoned && n_exited < run_now.threads && pass_barrier());
}

/* Blocks in ascending or descending order, or by steps that meet every one: number = begin + i step modulo their number. */
static uint64_t common_divisor(uint64_t a, uint64_t b)
{
    return b == 0 ? a : common_divisor(b, a % b);
}

void run_kernel(const kernel_call &call, const unsigned char *parameters)
{
    run_now = {call.name,
               call.kernel,
               call.caller,
               parameters,
               call.parameter_bytes,
               call.shared_bytes,
               call.grid,
               call.block,
               {0, 0, 0},
               call.block.x * call.block.y * call.block.z,
               false};
    uint64_t blocks = (uint64_t)call.grid.x * call.grid.y * call.grid.z;
    uint64_t step = 1 + chance(blocks > UINT32_MAX ? UINT32_MAX : (unsigned)blocks), begin = chance((unsigned)blocks);
    while (common_divisor(step, blocks) != 1) {
        step = step % blocks + 1;
    }
    note_kernel(call);
    begin_shared(call.shared_bytes);
    for (uint64_t i = 0; i < blocks && !run_now.abandoned; i++) {
        run_block((begin + i * step) % blocks);
    }
}

} /* namespace cudasim */
