/* SPDX-License-Identifier: Apache-2.0 */
/* Lanes: see lanes.h. Messages are kept by thread, so a lane that fails writes its message down for the caller. */
#include "serve/lanes.h"

#include <stdatomic.h>
#include <stdio.h>

enum { MESSAGE_BYTES = 512 };

typedef struct lane {
    unsigned char *scratch;
    cfd_status status;
    size_t block; /* that failed */
    char message[MESSAGE_BYTES];
} lane;

typedef struct lane_job {
    lane_work work;
    void *argument;
    lane *lanes;
    atomic_bool failed;
} lane_job;

size_t lane_reserve(lane_plan *plan, size_t count, size_t size)
{
    size_t offset = plan->bytes;
    size_t bytes;
    size_t end;
    if (!checked_multiply(count, size, &bytes) || !checked_add(bytes, MEMORY_ALIGNMENT - 1, &bytes) ||
        !checked_add(offset, bytes - bytes % MEMORY_ALIGNMENT, &end)) {
        plan->too_large = true;
        return 0;
    }
    plan->bytes = end;
    return offset;
}

static void run_block(void *argument, int32_t index, size_t block)
{
    lane_job *job = argument;
    lane *own = &job->lanes[index];
    if (atomic_load_explicit(&job->failed, memory_order_relaxed)) {
        return;
    }
    own->status = job->work(job->argument, own->scratch, block);
    if (own->status != CFD_OK) {
        own->block = block;
        snprintf(own->message, sizeof own->message, "%s", cfd_last_error());
        atomic_store_explicit(&job->failed, true, memory_order_relaxed);
    }
}

cfd_status lanes_run(const memory_source *memory, thread_pool *pool, size_t blocks, const lane_plan *plan, const char *what,
                     lane_work work, void *argument)
{
    if (blocks == 0) {
        return CFD_OK;
    }
    if (plan->too_large) {
        return fail(CFD_ERROR_MEMORY, "out of memory: the size of %s overflows", what);
    }
    size_t count = (size_t)threads_count(pool) < blocks ? (size_t)threads_count(pool) : blocks;
    unsigned char *scratch = NULL;
    lane *lanes = NULL;
    TRY(memory_allocate(memory, count, plan->bytes, what, &scratch));
    cfd_status status = memory_allocate_zero(memory, count, sizeof *lanes, what, &lanes);
    if (status != CFD_OK) {
        memory_release(memory, scratch);
        return status;
    }
    for (size_t i = 0; i < count; i++) {
        lanes[i].scratch = scratch + i * plan->bytes;
    }

    lane_job job = {work, argument, lanes, false};
    threads_run_lanes(pool, blocks, run_block, &job);

    const lane *first = NULL; /* the failure in the lowest block */
    for (size_t i = 0; i < count; i++) {
        if (lanes[i].status != CFD_OK && (!first || lanes[i].block < first->block)) {
            first = &lanes[i];
        }
    }
    if (first) {
        status = fail(first->status, "%s", first->message);
    }
    memory_release(memory, lanes);
    memory_release(memory, scratch);
    return status;
}
