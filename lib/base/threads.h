/* SPDX-License-Identifier: Apache-2.0 */
/* A small pool of worker threads. Work is a number of blocks; which thread runs which block is left to chance, so a
 * block's result must depend on its number alone. That is what makes results independent of the thread count. */
#ifndef CFD_BASE_THREADS_H
#define CFD_BASE_THREADS_H

#include "base/memory.h"

typedef struct thread_pool thread_pool;

/* threads: the caller's included; 0 = processors available to this process. Starts none yet. */
cfd_status threads_create(const memory_source *source, int32_t threads, thread_pool **out);
/* Waits for the workers to end. Accepts NULL. */
void threads_destroy(thread_pool *pool);
int32_t threads_count(const thread_pool *pool);

/* Runs block(argument, i) for i in [0, blocks), each exactly once, and returns when all are done. The calling thread
 * works too. Where the pool is busy with another call, is entered from one of its own blocks, or after fork(), the
 * calling thread does all blocks itself. Cannot fail: threads that could not be started are done without. */
typedef void (*thread_block)(void *argument, size_t block);
void threads_run(thread_pool *pool, size_t blocks, thread_block block, void *argument);

/* The same for blocks that need memory of their own: of the blocks that go on at once, each has another lane, in
 * [0, threads_count). A block's result must not depend on its lane. */
typedef void (*thread_lane_block)(void *argument, int32_t lane, size_t block);
void threads_run_lanes(thread_pool *pool, size_t blocks, thread_lane_block block, void *argument);

/* Blocks of `size` that cover n. */
static inline size_t blocks_of(size_t n, size_t size)
{
    return n / size + (n % size != 0); // NOLINT(clang-analyzer-core.DivideZero): nobody has blocks of nothing
}

#endif
