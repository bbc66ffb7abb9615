/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of work that need scratch memory. Scratch for every block would not be bounded, and allocating inside a
 * block could fail there; so a few lanes, at most one a thread, each with scratch of its own allocated
 * beforehand, take the blocks one after the other. A block's result must depend on its number alone, as with
 * threads_run. */
#ifndef CFD_SERVE_LANES_H
#define CFD_SERVE_LANES_H

#include "base/threads.h"

/* The layout of one lane's scratch. Zero-initialise, reserve, run. */
typedef struct lane_plan {
    size_t bytes;
    bool too_large; /* a size overflowed; lanes_run refuses */
} lane_plan;

/* Reserves count x size bytes, aligned to MEMORY_ALIGNMENT; returns their offset within the scratch. */
size_t lane_reserve(lane_plan *plan, size_t count, size_t size);

typedef cfd_status (*lane_work)(void *argument, unsigned char *scratch, size_t block);

/* Runs work(argument, scratch, i) for i in [0, blocks). After a failure no further block begins; the failure,
 * with its message, becomes the caller's, whichever thread met it. `what` names the scratch memory in messages. */
cfd_status lanes_run(const memory_source *memory, thread_pool *pool, size_t blocks, const lane_plan *plan, const char *what,
                     lane_work work, void *argument);

#endif
