/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of the simulated device, and pinned memory: one reserved range of addresses. Device memory cannot be touched but
 * while queued work runs; so a host that dereferences a device pointer gets a SIGSEGV. Fresh and freed memory is poisoned,
 * behind every allocation is a red zone, and freed memory is not used again soon. */
#include "races.h"
#include "state.h"

#include <deque>
#include <map>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

namespace cudasim {

static const size_t DEVICE_ROOM = (size_t)8 << 30, PINNED_ROOM = (size_t)1 << 30;
static const size_t LARGE_PAGE = (size_t)2 << 20;
static const size_t QUARANTINE = (size_t)256 << 20; /* bytes of freed memory that wait before they are used again */

static char *reserve(size_t bytes, int protection)
{
    void *p = mmap(nullptr, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) {
        perror("cudasim: reserving addresses");
        abort();
    }
    return (char *)p;
}

/* In large pages, where the system has them: they are opened and shut hundreds of times as fast. */
static char *reserve_arena()
{
    char *base = reserve(DEVICE_ROOM + PINNED_ROOM + LARGE_PAGE, PROT_NONE);
    base += LARGE_PAGE - (uintptr_t)base % LARGE_PAGE;
    madvise(base, DEVICE_ROOM, MADV_HUGEPAGE);
    if (mprotect(base + DEVICE_ROOM, PINNED_ROOM, PROT_READ | PROT_WRITE) != 0) {
        perror("cudasim: opening pinned memory");
        abort();
    }
    return base;
}

const size_t arena_bytes = DEVICE_ROOM + PINNED_ROOM;
char *const arena = reserve_arena();
size_t memory_limit = (size_t)2 << 30, memory_in_use;
long allocations_until_failure = -1;
int device_count = 1;

/* Of each kind of memory: what was never used begins at `top`; what was used and may be used again is in `unused`. */
struct region {
    char *top, *end;
    std::map<char *, size_t> unused;
};
static region *const regions = new region[2]{{arena, arena + DEVICE_ROOM, {}},
                                             {arena + DEVICE_ROOM, arena + arena_bytes, {}}};

static std::deque<allocation> &allocations = *new std::deque<allocation>;
allocation **const page_owner = (allocation **)(void *)reserve(arena_bytes / ARENA_PAGE * sizeof(allocation *),
                                                               PROT_READ | PROT_WRITE);
static std::deque<allocation *> &quarantine = *new std::deque<allocation *>;
static size_t quarantined;
static std::map<const char *, size_t> &registered = *new std::map<const char *, size_t>;

static int open_count;

static void protect(int protection)
{
    size_t used = ((size_t)(regions[MEMORY_DEVICE].top - arena) + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
    if (used > 0 && mprotect(arena, used, protection) != 0) {
        perror("cudasim: protecting device memory");
        abort();
    }
}

open_memory::open_memory()
{
    if (open_count++ == 0) {
        protect(PROT_READ | PROT_WRITE);
    }
}

open_memory::~open_memory()
{
    if (--open_count == 0) {
        protect(PROT_NONE);
    }
}

int shut_memory()
{
    int count = open_count;
    if (count > 0) {
        protect(PROT_NONE);
    }
    open_count = 0;
    return count;
}

void reopen_memory(int count)
{
    open_count += count;
    if (count > 0) {
        protect(PROT_READ | PROT_WRITE);
    }
}

/* Room from what may be used again, else from what was never used. NULL: there is none. */
static char *take_room(region *r, size_t room)
{
    for (auto it = r->unused.begin(); it != r->unused.end(); ++it) {
        if (it->second >= room) {
            char *start = it->first;
            size_t left = it->second - room;
            r->unused.erase(it);
            if (left > 0) {
                r->unused[start + room] = left;
            }
            return start;
        }
    }
    if ((size_t)(r->end - r->top) < room) {
        return nullptr;
    }
    char *start = r->top;
    r->top += room;
    return start;
}

static void give_room(region *r, char *start, size_t room)
{
    auto after = r->unused.lower_bound(start);
    if (after != r->unused.end() && start + room == after->first) {
        room += after->second;
        after = r->unused.erase(after);
    }
    if (after != r->unused.begin()) {
        auto before = std::prev(after);
        if (before->first + before->second == start) {
            before->second += room;
            return;
        }
    }
    r->unused[start] = room;
}

/* Of a large block the first and the last part only: what lies between shall take up no memory before it is used. */
static void poison(char *start, size_t bytes)
{
    if (bytes <= 2 * LARGE_PAGE) {
        memset(start, POISON_BYTE, bytes);
        return;
    }
    memset(start, POISON_BYTE, LARGE_PAGE / 2);
    memset(start + bytes - LARGE_PAGE / 2, POISON_BYTE, LARGE_PAGE / 2);
}

/* Gives the memory of a large block back to the system. */
static void give_back_pages(char *start, size_t bytes)
{
    size_t before = (LARGE_PAGE - (uintptr_t)start % LARGE_PAGE) % LARGE_PAGE;
    if (bytes >= before + LARGE_PAGE) {
        madvise(start + before, (bytes - before) / LARGE_PAGE * LARGE_PAGE, MADV_DONTNEED);
    }
}

allocation *allocate(memory_kind kind, size_t bytes)
{
    size_t pages = (bytes + ARENA_PAGE - 1) / ARENA_PAGE * ARENA_PAGE;
    size_t red = ARENA_PAGE + (bytes / 4 < 65536 ? bytes / 4 : 65536) / ARENA_PAGE * ARENA_PAGE;
    if (allocations_until_failure >= 0 && allocations_until_failure-- == 0) {
        return nullptr;
    }
    if (bytes > DEVICE_ROOM ||
        (kind == MEMORY_DEVICE && (memory_in_use > memory_limit || pages > memory_limit - memory_in_use))) {
        return nullptr;
    }
    size_t room = pages + red;
    char *start = take_room(&regions[kind], room);
    if (start == nullptr) {
        return nullptr;
    }
    allocations.push_back({start, bytes, room, next_moment(), kind, this_thread().device, true});
    for (char *page = start; page < start + room; page += ARENA_PAGE) {
        page_owner[(size_t)(page - arena) / ARENA_PAGE] = &allocations.back();
    }
    open_memory open;
    if (open_count > 1) {
        protect(PROT_READ | PROT_WRITE); /* the top may have moved */
    }
    CUDASIM_UNPOISON(start, room);
    poison(start, room);
    CUDASIM_POISON(start + bytes, room - bytes);
    memory_in_use += kind == MEMORY_DEVICE ? pages : 0;
    return &allocations.back();
}

void release(allocation *a)
{
    open_memory open;
    give_back_pages(a->start, a->room);
    poison(a->start, a->bytes);
    CUDASIM_POISON(a->start, a->room);
    a->live = false;
    memory_in_use -= a->kind == MEMORY_DEVICE ? (a->bytes + ARENA_PAGE - 1) / ARENA_PAGE * ARENA_PAGE : 0;
    quarantine.push_back(a);
    quarantined += a->room;
    while (quarantined > QUARANTINE) {
        allocation *oldest = quarantine.front();
        quarantine.pop_front();
        quarantined -= oldest->room;
        give_room(&regions[oldest->kind], oldest->start, oldest->room);
    }
}

allocation *allocation_from(const void *p)
{
    allocation *a = allocation_at(p);
    return a != nullptr && a->live && a->start == p ? a : nullptr;
}

std::vector<allocation *> live_allocations()
{
    std::vector<allocation *> live;
    for (allocation &a : allocations) {
        if (a.live) {
            live.push_back(&a);
        }
    }
    return live;
}

bool is_registered(const void *p, size_t bytes)
{
    auto it = registered.upper_bound((const char *)p);
    if (it == registered.begin()) {
        return false;
    }
    --it;
    size_t offset = (size_t)((const char *)p - it->first);
    return offset <= it->second && bytes <= it->second - offset;
}

bool register_memory(void *p, size_t bytes)
{
    auto after = registered.upper_bound((const char *)p + bytes - 1);
    if (after != registered.begin()) {
        auto before = std::prev(after);
        if (before->first + before->second > (const char *)p) {
            return false;
        }
    }
    registered[(const char *)p] = bytes;
    return true;
}

bool unregister_memory(void *p)
{
    return registered.erase((const char *)p) != 0;
}

std::string describe_address(const void *p)
{
    const allocation *a = allocation_at(p);
    if (a == nullptr) {
        return text("%p, which is no memory of the device's%s", p, in_arena(p) ? ", though among its addresses" : "");
    }
    return text("%p, byte %zd of a %s allocation of %zu bytes%s", p, (const char *)p - a->start,
                a->kind == MEMORY_DEVICE ? "device" : "pinned", a->bytes, a->live ? "" : " that was freed");
}

CUDASIM_PUBLIC bool is_device_memory(const void *p, size_t bytes)
{
    guard hold(lock);
    const allocation *a = allocation_at(p);
    if (a == nullptr) {
        return is_registered(p, bytes);
    }
    size_t offset = (size_t)((const char *)p - a->start);
    return a->live && offset <= a->bytes && bytes <= a->bytes - offset;
}

} /* namespace cudasim */
