/* SPDX-License-Identifier: Apache-2.0 */
/* The checker of accesses: inside live memory, aligned, written before, and ordered after what other threads, blocks and
 * streams did. Every word of memory has a cell that tells who wrote its halves last and two that read it. */
#include "races.h"

#include "checker.h"
#include "kernel.h"

#include <set>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tuple>

namespace cudasim {

static uint32_t moment_now = 1;
static moments now;

/* Operations that were run, the earliest first; those before `first_kept` are before everything that is still to come. */
struct past {
    uint32_t begin;
    unsigned lane;
    uint32_t number;
    bool ordered; /* before the operation that runs */
    std::string what;
};
static std::vector<past> &history = *new std::vector<past>;
static const char *operation_name = "";

uint32_t next_moment()
{
    if (++moment_now == 0) {
        fputs("cudasim: moments are used up\n", stderr);
        abort();
    }
    return moment_now;
}

void begin_access(const operation &o)
{
    now.operation = now.block = now.interval = now.settled = next_moment();
    operation_name = o.what.c_str();
    for (size_t i = history.size(); i-- > 0;) {
        history[i].ordered = includes(o.known, history[i].lane, history[i].number);
        if (!history[i].ordered) {
            now.settled = history[i].begin;
        }
    }
}

void end_access()
{
    history.push_back({now.operation, running->lane, running->number, true, running->what});
    operation_name = "";
}

void begin_block()
{
    now.block = now.interval = next_moment();
}

void begin_interval()
{
    now.interval = next_moment();
}

void settle()
{
    size_t n = 0;
    while (n < history.size() && includes(host_known, history[n].lane, history[n].number)) {
        n++;
    }
    history.erase(history.begin(), history.begin() + (ptrdiff_t)n);
}

/* Of each thread, by lane of its warp. */
static uint32_t met[MOST_THREADS][WARP];

void begin_thread(device_thread *t)
{
    if (t->met_some) {
        memset(met[t->linear], 0, sizeof met[t->linear]);
    }
    t->epoch = t->met_all = 0;
    t->met_some = false;
}

/* The last operation in which thread t met a lane of its warp, itself or by others. */
static uint32_t last_meeting(const device_thread *t, unsigned lane)
{
    uint32_t some = t->met_some ? met[t->linear][lane] : 0;
    return some > t->met_all ? some : t->met_all;
}

void warp_met(device_warp *w, device_thread *of_warp, unsigned mask)
{
    uint32_t joined[WARP] = {0}, n = w->operations;
    if (mask == 0xffffffffu) {
        for (unsigned lane = 0; lane < WARP; lane++) {
            of_warp[lane].epoch = of_warp[lane].met_all = n;
        }
        return;
    }
    for (unsigned lane = 0; lane < WARP; lane++) {
        for (unsigned l = 0; l < WARP && (mask >> lane & 1u) != 0; l++) {
            uint32_t last = last_meeting(&of_warp[lane], l);
            joined[l] = (mask >> l & 1u) != 0 ? n : last > joined[l] ? last : joined[l];
        }
    }
    for (unsigned lane = 0; lane < WARP; lane++) {
        if ((mask >> lane & 1u) != 0) {
            device_thread *t = &of_warp[lane];
            t->epoch = n;
            t->met_some = true;
            memcpy(met[t->linear], joined, sizeof joined);
        }
    }
}

/* Whether what the stamp says was done before what thread t does now, both in one interval of one block. */
static bool is_before(uint64_t stamp, const device_thread *t)
{
    unsigned thread = thread_of(stamp);
    if (t == nullptr || thread == t->linear) {
        return true;
    }
    if (thread / WARP != t->warp) {
        return false;
    }
    return last_meeting(t, thread % WARP) > epoch_of(stamp) || epoch_of(stamp) == MOST_EPOCHS;
}

static const past *past_of(uint32_t moment)
{
    size_t low = 0, high = history.size();
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (history[middle].begin <= moment) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low == 0 ? nullptr : &history[low - 1];
}

conflict_kind find_conflict(uint64_t stamp, const device_thread *t, bool atomic)
{
    uint32_t moment = moment_of(stamp);
    if (moment < now.settled || (atomic && (stamp & STAMP_ATOMIC) != 0)) {
        return NO_CONFLICT;
    }
    if (moment >= now.operation) {
        return moment < now.block                               ? CONFLICT_OF_BLOCKS
               : moment == now.interval && !is_before(stamp, t) ? CONFLICT_OF_THREADS
                                                                : NO_CONFLICT;
    }
    const past *p = past_of(moment);
    return p != nullptr && !p->ordered ? CONFLICT_OF_STREAMS : NO_CONFLICT;
}

const moments &moments_now()
{
    return now;
}

/* ---- reports ---- */

typedef std::set<std::tuple<std::string, std::string, const void *>> report_set;
static report_set &seen = *new report_set;

void forget_reports()
{
    seen.clear();
}

/* False: the same was reported for this place before. */
static bool is_new(const char *kind, const void *pc)
{
    return seen.size() < 10000 && seen.insert({kind, operation_name, pc}).second;
}

static std::string what_was_done(const access_place &at)
{
    std::string who = at.thread != nullptr ? thread_place(at.thread) : std::string(at.what);
    std::string where = at.file != nullptr ? text("%s:%u", at.file, at.line) : at.pc != nullptr ? code_place(at.pc) : "";
    std::string target = in_shared(at.address)
                             ? text("byte %zu of shared memory", (size_t)((char *)at.address - shared_base))
                             : describe_address(at.address);
    return text("%s: %s of %zu bytes at %s%s%s", who.c_str(),
                at.atomic  ? "atomic operation"
                : at.write ? "write"
                           : "read",
                at.bytes, target.c_str(), where.empty() ? "" : ", in ", where.c_str());
}

void access_fault(const access_place &at, const char *kind, cudaError_t error, const char *why)
{
    run_now.abandoned = run_now.abandoned || at.thread != nullptr;
    kernel_fault(kind, error, true, what_was_done(at) + why);
    if (at.thread != nullptr) {
        abandon_thread();
    }
}

void report_unwritten(const access_place &at)
{
    if (is_new("uninitialised read", at.pc)) {
        kernel_fault("uninitialised read", cudaSuccess, false, what_was_done(at));
    }
}

void report_race(const access_place &at, conflict_kind conflict, uint64_t other, bool other_wrote)
{
    const char *kind = conflict == CONFLICT_OF_STREAMS ? "stream race"
                       : in_shared(at.address)         ? "shared race"
                                                       : "global race";
    if (!is_new(kind, at.pc)) {
        return;
    }
    const char *did = (other & STAMP_ATOMIC) != 0 ? "changed (by an atomic operation)" : other_wrote ? "wrote" : "read";
    std::string who;
    if (conflict == CONFLICT_OF_STREAMS) {
        const past *p = past_of(moment_of(other));
        who = text("%s, in another stream, %s it, and nothing orders the two", p == nullptr ? "?" : p->what.c_str(), did);
    } else {
        unsigned n = thread_of(other);
        const dim3 &b = run_now.block;
        who = text("thread (%u, %u, %u)%s %s it, and nothing orders the two", n % b.x, n / b.x % b.y, n / b.x / b.y,
                   conflict == CONFLICT_OF_BLOCKS ? " of another block" : "", did);
    }
    kernel_fault(kind, cudaSuccess, false, what_was_done(at) + ": " + who);
}

} /* namespace cudasim */
