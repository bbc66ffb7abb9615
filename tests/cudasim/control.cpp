/* SPDX-License-Identifier: Apache-2.0 */
/* What a test controls and counts: the seed, memory, events; and what is left at the end. */
#include "queue.h"

#include <stdlib.h>
#include <utility>

namespace cudasim {

static unsigned long counts[CUDASIM_EVENTS];

/* xorshift64*, seeded by a step of splitmix64. */
static uint64_t state_of(unsigned seed)
{
    uint64_t z = (seed + 1u) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return z == 0 ? 1 : z;
}

static uint64_t state_at_first()
{
    const char *seed = getenv("CUDASIM_SEED");
    return state_of(seed != nullptr ? (unsigned)strtoul(seed, nullptr, 10) : 1);
}
static uint64_t state = state_at_first();

unsigned chance(unsigned n)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (unsigned)(((state * 0x2545f4914f6cdd1du) >> 32) * n >> 32);
}

void shuffle(unsigned *order, unsigned n)
{
    for (unsigned i = n; i > 1; i--) {
        std::swap(order[i - 1], order[chance(i)]);
    }
}

CUDASIM_PUBLIC void count(int what)
{
    guard hold(lock);
    counts[what]++;
}

static void say(std::string *all, size_t n, const char *what)
{
    if (n > 0) {
        *all += text("%s%zu %s", all->empty() ? "" : ", ", n, what);
    }
}

} /* namespace cudasim */

using namespace cudasim;

extern "C" {

void cudasim_seed(unsigned seed)
{
    guard hold(lock);
    state = state_of(seed);
}

unsigned long cudasim_count(cudasim_event event)
{
    guard hold(lock);
    return counts[event];
}

void cudasim_limit_memory(size_t bytes)
{
    guard hold(lock);
    memory_limit = bytes;
}

void cudasim_fail_allocation(long n)
{
    guard hold(lock);
    allocations_until_failure = n;
}

void cudasim_set_devices(int n)
{
    guard hold(lock);
    device_count = n;
}

size_t cudasim_memory_used(void)
{
    guard hold(lock);
    return memory_in_use;
}

int cudasim_checks_accesses(void)
{
#ifdef CUDASIM_CHECKED
    return 1;
#else
    return 0;
#endif
}

size_t cudasim_check_leaks(void)
{
    guard hold(lock);
    size_t device = 0, pinned = 0, streams = 0;
    for (const allocation *a : live_allocations()) {
        (a->kind == MEMORY_DEVICE ? device : pinned)++;
    }
    for (cudaStream_t stream : all_streams()) {
        streams += stream->live && !stream->is_default ? 1 : 0;
    }
    std::string left;
    say(&left, device, "allocations of device memory");
    say(&left, pinned, "allocations of pinned memory");
    say(&left, streams, "streams");
    say(&left, live_events(), "events");
    say(&left, live_graphs(), "graphs");
    if (!left.empty()) {
        violation("leak", "left behind: %s", left.c_str());
    }
    return device + pinned + streams + live_events() + live_graphs();
}

} /* extern "C" */
