/* SPDX-License-Identifier: Apache-2.0 */
/* Accesses: of kernels, which were compiled so that each calls a function here first, and of queued work. */
#include "checker.h"
#include "races.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

namespace cudasim {

/* Whether a range lies in one live allocation. A fault where it does not. */
static const allocation *allocation_of(const access_place &at)
{
    const allocation *a = allocation_at(at.address);
    size_t offset = a == nullptr ? 0 : (size_t)((const char *)at.address - a->start);
    if (a != nullptr && !a->live) {
        access_fault(at, "use after free", cudaErrorIllegalAddress, "");
        return nullptr;
    }
    if (a == nullptr || offset > a->bytes || at.bytes > a->bytes - offset) {
        access_fault(at, "out of bounds", cudaErrorIllegalAddress, "");
        return nullptr;
    }
    return a;
}

#ifdef CUDASIM_CHECKED

static cell *make_cells(size_t bytes)
{
    void *p = mmap(nullptr, bytes / 4 * sizeof(cell), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    if (p == MAP_FAILED) {
        perror("cudasim: reserving addresses for the checker");
        abort();
    }
    return (cell *)p;
}

static cell *arena_cell(const void *p)
{
    static cell *cells = make_cells(arena_bytes);
    return cells + ((size_t)((const char *)p - arena)) / 4;
}

static cell *shared_cell(const void *p)
{
    static cell *cells = make_cells(shared_room);
    return cells + ((size_t)((const char *)p - shared_base)) / 4;
}

static bool same_actor(uint64_t a, uint64_t b, const moments &now)
{
    return moment_of(a) >= now.block && thread_of(a) == thread_of(b);
}

static uint64_t merged(uint64_t old, uint64_t stamp)
{
    return old >> 4 == stamp >> 4 ? old | stamp : stamp;
}

/* Keeps a read: of two readers in an operation, and of one in an earlier operation of another stream. */
static void keep_read(cell *c, uint64_t stamp, const moments &now)
{
    if (same_actor(c->read[0], stamp, now)) {
        c->read[0] = merged(c->read[0], stamp);
    } else if (same_actor(c->read[1], stamp, now)) {
        c->read[1] = merged(c->read[1], stamp);
    } else if (moment_of(c->read[0]) < now.operation) {
        if (moment_of(c->read[0]) >= now.settled || moment_of(c->read[1]) < now.settled) {
            c->read[1] = c->read[0];
        }
        c->read[0] = stamp;
    } else if (moment_of(c->read[1]) >= now.operation || moment_of(c->read[1]) < now.settled) {
        c->read[1] = stamp;
    } else {
        c->read[0] = stamp;
    }
}

/* What an access of a word needs to know. */
struct touch {
    uint64_t stamp;
    const device_thread *thread;
    uint32_t birth; /* what is earlier was done to other memory */
    bool write, atomic, may_be_unwritten;
};

/* Of a stamp that is not before everything else: is it a conflict? */
static void check_stamp(uint64_t stamp, bool wrote, const touch &t, const access_place &at)
{
    conflict_kind conflict = find_conflict(stamp, t.thread, t.atomic);
    if (conflict != NO_CONFLICT) {
        report_race(at, conflict, stamp, wrote);
    }
}

/* bytes: a bit for each byte of the word. */
static void touch_cell(cell *c, unsigned bytes, const touch &t, const moments &now, const access_place &at)
{
    for (unsigned half = 0; half < 2; half++) {
        unsigned mask = bytes >> (2 * half) & 3u;
        uint64_t old = moment_of(c->written[half]) < t.birth ? 0 : c->written[half];
        if (mask == 0) {
            continue;
        }
        if ((!t.write || t.atomic) && !t.may_be_unwritten && ((unsigned)(old >> 2) & mask) != mask) {
            report_unwritten(at);
        }
        if ((old & mask) != 0 && moment_of(old) >= now.settled) {
            check_stamp(old, true, t, at);
        }
        if (t.write) {
            uint64_t kept = old >> 4 == t.stamp >> 4 ? old & 3u : 0;
            c->written[half] = t.stamp | kept | mask | (old & 12u) | (uint64_t)mask << 2;
        }
    }
    if (!t.write) {
        keep_read(c, t.stamp | bytes, now);
        return;
    }
    for (uint64_t other : c->read) {
        if ((other & bytes) != 0 && moment_of(other) >= t.birth && moment_of(other) >= now.settled) {
            check_stamp(other, false, t, at);
        }
    }
}

/* The same in short for a read of a word that was written as one by an earlier operation: false where it is not so. */
static inline bool read_word(cell *c, const touch &t, const moments &now)
{
    uint64_t written = c->written[0];
    uint32_t moment = moment_of(written);
    if (t.write || written != c->written[1] || (written & 15u) != 15u || moment < t.birth || moment >= now.settled) {
        return false;
    }
    keep_read(c, t.stamp | 15u, now);
    return true;
}

static void touch_range(cell *c, const touch &t, const access_place &at)
{
    const moments &now = moments_now();
    size_t begin = (uintptr_t)at.address % 4, end = begin + at.bytes;
    if (begin == 0 && at.bytes == 4 && read_word(c, t, now)) {
        return;
    }
    for (size_t word = 0; word < end; word += 4, c++) {
        unsigned from = word < begin ? (unsigned)(begin - word) : 0, to = end - word < 4 ? (unsigned)(end - word) : 4;
        touch_cell(c, (1u << to) - (1u << from), t, now, at);
    }
}

/* Neither the device's memory nor the thread's stack: parameters, constants, registered memory, or a fault. */
static void check_foreign(const access_place &at)
{
    size_t offset = (size_t)((const unsigned char *)at.address - run_now.parameters);
    bool parameter = offset < run_now.parameter_bytes && at.bytes <= run_now.parameter_bytes - offset;
    bool readable = parameter || is_program_data(at.address, at.bytes);
    if (!is_registered(at.address, at.bytes) && (at.write || !readable)) {
        access_fault(at, "out of bounds", cudaErrorIllegalAddress, readable ? ": it cannot be written to" : "");
    }
}

static void check_access(const access_place &at, size_t align)
{
    const device_thread *thread = at.thread;
    const char *p = (const char *)at.address;
    touch t = {
        stamp_of(moments_now().interval, thread->linear, thread->epoch, at.atomic), thread, 0, at.write, at.atomic, false};
    cell *c;
    if (in_arena(p)) {
        const allocation *a = allocation_of(at);
        t.birth = a->birth;
        t.may_be_unwritten = a->kind == MEMORY_PINNED; /* the host may have written it */
        c = arena_cell(p);
    } else if (in_shared(p)) {
        if (!is_shared_memory(p, at.bytes)) {
            access_fault(at, "out of bounds", cudaErrorIllegalAddress, "");
        }
        t.birth = moments_now().block;
        c = shared_cell(p);
    } else {
        if ((size_t)(p - thread->stack) >= stack_bytes) {
            check_foreign(at);
        }
        return;
    }
    if ((uintptr_t)p % align != 0) {
        access_fault(at, "misaligned", cudaErrorMisalignedAddress, "");
    }
    touch_range(c, t, at);
}

void kernel_access(const void *p, size_t bytes, size_t align, bool write, const void *pc)
{
    const device_thread *thread = current;
    if (thread != nullptr && bytes > 0) {
        check_access({thread, pc, nullptr, nullptr, 0, p, bytes, write, false}, align);
    }
}

void misaligned_access(const void *p, size_t align, const char *file, unsigned line)
{
    if (current == nullptr) {
        violation("misaligned", "%s:%u: %p is no multiple of %zu", file, line, p, align);
        return;
    }
    access_fault({current, nullptr, file, nullptr, line, p, align, false, false}, "misaligned", cudaErrorMisalignedAddress,
                 "");
}

CUDASIM_PUBLIC void atomic_access(const volatile void *p, size_t bytes, const char *file, unsigned line)
{
    const void *address = (const void *)(uintptr_t)p;
    const device_thread *thread = current;
    check_access({thread, __builtin_return_address(0), file, nullptr, line, address, bytes, true, true}, bytes);
}

static bool check_range(const void *p, size_t bytes, bool write, bool may_be_unwritten, const char *what)
{
    access_place at = {nullptr, nullptr, nullptr, what, 0, p, bytes, write, false};
    if (is_registered(p, bytes)) {
        return true;
    }
    const allocation *a = allocation_of(at);
    if (a == nullptr) {
        return false;
    }
    touch_range(arena_cell(p),
                {stamp_of(moments_now().interval, 0, 0, false), nullptr, a->birth, write, false,
                 may_be_unwritten || a->kind == MEMORY_PINNED},
                at);
    return true;
}

void copy_written(void *to, const void *from, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        const char *source = (const char *)from + i;
        char *target = (char *)to + i;
        unsigned of_source = (unsigned)((uintptr_t)source % 4), of_target = (unsigned)((uintptr_t)target % 4);
        uint64_t written = arena_cell(source)->written[of_source / 2];
        bool is = moment_of(written) >= allocation_at(source)->birth && (written >> (2 + of_source % 2) & 1u) != 0;
        if (!is) {
            arena_cell(target)->written[of_target / 2] &= ~((uint64_t)4 << of_target % 2);
        }
    }
}

#else

CUDASIM_PUBLIC void atomic_access(const volatile void *, size_t, const char *, unsigned) {}

static bool check_range(const void *p, size_t bytes, bool write, bool, const char *what)
{
    return is_registered(p, bytes) || allocation_of({nullptr, nullptr, nullptr, what, 0, p, bytes, write, false}) != nullptr;
}

void copy_written(void *, const void *, size_t) {}

#endif

bool device_copied(const void *from, size_t bytes, const char *what)
{
    return bytes == 0 || check_range(from, bytes, false, true, what);
}

CUDASIM_PUBLIC bool device_read(const void *from, size_t bytes, const char *what)
{
    guard hold(lock);
    return bytes == 0 || check_range(from, bytes, false, false, what);
}

CUDASIM_PUBLIC bool device_write(void *to, size_t bytes, const char *what)
{
    guard hold(lock);
    return bytes == 0 || check_range(to, bytes, true, true, what);
}

} /* namespace cudasim */
