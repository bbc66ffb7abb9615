/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the checker of accesses: stamps, which say who did something and when, and the cells that keep them. */
#ifndef CUDASIM_CHECKER_H
#define CUDASIM_CHECKER_H

#include "kernel.h"

namespace cudasim {

/* A stamp, from its lowest bit: 4 bits for the bytes that were touched; whether by an atomic operation; 10 bits: the thread;
 * 17 bits: the thread's epoch in its warp; 32 bits: the moment at which the interval began. Stamps of writes to a half of a
 * word have 2 bits for the bytes that were touched and 2 for those that were ever written. */
enum { STAMP_ATOMIC = 1 << 4, STAMP_THREAD = 5, STAMP_EPOCH = 15, STAMP_MOMENT = 32, MOST_EPOCHS = (1 << 17) - 1 };

static inline uint32_t moment_of(uint64_t stamp)
{
    return (uint32_t)(stamp >> STAMP_MOMENT);
}

static inline unsigned thread_of(uint64_t stamp)
{
    return (unsigned)(stamp >> STAMP_THREAD) & 1023u;
}

static inline uint32_t epoch_of(uint64_t stamp)
{
    return (uint32_t)(stamp >> STAMP_EPOCH) & (uint32_t)MOST_EPOCHS;
}

static inline uint64_t stamp_of(uint32_t moment, unsigned thread, uint32_t epoch, bool atomic)
{
    uint64_t kept = epoch < (uint32_t)MOST_EPOCHS ? epoch : (uint32_t)MOST_EPOCHS;
    return (uint64_t)moment << STAMP_MOMENT | kept << STAMP_EPOCH | (uint64_t)thread << STAMP_THREAD |
           (atomic ? (uint64_t)STAMP_ATOMIC : 0);
}

/* Of a word of 4 bytes. */
struct cell {
    uint64_t written[2], read[2];
};

/* When what runs began. What is before `settled` is ordered before it. */
struct moments {
    uint32_t operation, block, interval, settled;
};
const moments &moments_now();

enum conflict_kind { NO_CONFLICT, CONFLICT_OF_THREADS, CONFLICT_OF_BLOCKS, CONFLICT_OF_STREAMS };
conflict_kind find_conflict(uint64_t stamp, const device_thread *t, bool atomic);

/* An access, for what is said of it: of a thread, at a place in the code; or of queued work by a name. */
struct access_place {
    const device_thread *thread;
    const void *pc;
    const char *file, *what;
    unsigned line;
    const void *address;
    size_t bytes;
    bool write, atomic;
};
/* Ends the kernel, and does not come back to a thread. */
void access_fault(const access_place &at, const char *kind, cudaError_t error, const char *why);
void report_unwritten(const access_place &at);
void report_race(const access_place &at, conflict_kind conflict, uint64_t other, bool other_wrote);

/* Whether an address is in a loaded program's memory that cannot be written to. */
bool is_program_data(const void *p, size_t bytes);

} /* namespace cudasim */

#endif
