/* SPDX-License-Identifier: Apache-2.0 */
/* Operations of a warp: they happen when all lanes of the mask have come to the same one. */
#include "kernel.h"

#include <string.h>

namespace cudasim {

static std::string code_line(const device_thread *t)
{
    const char *slash = strrchr(t->file, '/');
    return text("%s:%u", slash == nullptr ? t->file : slash + 1, t->line);
}

/* The lane that a shuffle takes its value from. */
static unsigned source_of(const device_thread *t)
{
    unsigned width = (unsigned)t->width, first = t->lane & ~(width - 1), last = first + width - 1,
             step = (unsigned)t->argument;
    switch (t->operation) {
    case WARP_SHUFFLE: return first + (step & (width - 1));
    case WARP_SHUFFLE_UP: return step > t->lane - first ? t->lane : t->lane - step;
    case WARP_SHUFFLE_DOWN: return step > last - t->lane ? t->lane : t->lane + step;
    default: return (t->lane ^ step) > last ? t->lane : t->lane ^ step;
    }
}

static uint64_t reduce(warp_kind kind, uint64_t a, uint64_t b)
{
    switch (kind) {
    case WARP_ADD: return (uint32_t)(a + b);
    case WARP_MIN: return (int32_t)(uint32_t)a < (int32_t)(uint32_t)b ? a : b;
    case WARP_MAX: return (int32_t)(uint32_t)a > (int32_t)(uint32_t)b ? a : b;
    case WARP_UMIN: return a < b ? a : b;
    case WARP_UMAX: return a > b ? a : b;
    case WARP_AND: return a & b;
    case WARP_OR: return a | b;
    default: return a ^ b;
    }
}

static bool is_shuffle(warp_kind kind)
{
    return kind == WARP_SHUFFLE || kind == WARP_SHUFFLE_UP || kind == WARP_SHUFFLE_DOWN || kind == WARP_SHUFFLE_XOR;
}

static void compute_for(device_thread *t, const device_thread *of_warp)
{
    if (is_shuffle(t->operation)) {
        unsigned source = source_of(t);
        if ((t->mask >> source & 1u) == 0) {
            block_fault(current, "divergent warp", cudaErrorLaunchFailure,
                        text("at %s lane %u takes a value from lane %u, which the mask %#x does not name",
                             code_line(t).c_str(), t->lane, source, t->mask));
            abandon_thread();
        }
        t->result = of_warp[source].value;
        return;
    }
    bool first = true;
    unsigned ballot = 0, same = 0;
    for (unsigned lane = 0; lane < WARP; lane++) {
        if ((t->mask >> lane & 1u) != 0) {
            uint64_t value = of_warp[lane].value;
            ballot |= (unsigned)(value != 0) << lane;
            same |= (unsigned)(value == t->value) << lane;
            t->result = first ? value : reduce(t->operation, t->result, value);
            first = false;
        }
    }
    switch (t->operation) {
    case WARP_BALLOT: t->result = ballot; break;
    case WARP_ANY: t->result = ballot != 0; break;
    case WARP_ALL: t->result = ballot == t->mask; break;
    case WARP_MATCH: t->result = same; break;
    default: break;
    }
}

/* All lanes of the mask are there: with the same mask, at the same operation. */
static void check_same(const device_thread *t, const device_thread *of_warp)
{
    for (unsigned lane = 0; lane < WARP; lane++) {
        const device_thread *other = &of_warp[lane];
        if ((t->mask >> lane & 1u) == 0) {
            continue;
        }
        bool apart = t->operation != WARP_SYNC &&
                     (other->line != t->line || (other->file != t->file && strcmp(other->file, t->file) != 0));
        if (other->mask != t->mask || other->operation != t->operation || apart) {
            block_fault(current, "divergent warp", cudaErrorLaunchFailure,
                        text("at %s with mask %#x it meets lane %u, which is at %s with mask %#x", code_line(t).c_str(),
                             t->mask, lane, code_line(other).c_str(), other->mask));
            abandon_thread();
        }
    }
}

/* Not inline: what waits in warp_operation shall use little of its stack. */
static __attribute__((noinline)) void finish(device_thread *t, device_warp *w, device_thread *of_warp)
{
    device_thread *others[WARP];
    unsigned n = 0;
    check_same(t, of_warp);
    for (unsigned lane = 0; lane < WARP; lane++) {
        if ((t->mask >> lane & 1u) != 0) {
            if (t->operation != WARP_SYNC) {
                compute_for(&of_warp[lane], of_warp);
            }
            if (lane != t->lane) {
                others[n++] = &of_warp[lane];
            }
        }
    }
    w->arrived &= ~t->mask;
    w->operations++;
    warp_met(w, of_warp, t->mask);
    make_ready(others, n);
    t->state = THREAD_READY;
}

CUDASIM_PUBLIC uint64_t warp_operation(warp_kind kind, unsigned mask, uint64_t value, int argument, int width,
                                       const char *file, unsigned line)
{
    device_thread *t = current;
    device_warp *w = &warps[t->warp];
    t->operation = kind;
    t->mask = mask;
    t->value = value;
    t->argument = argument;
    t->width = width;
    t->file = file;
    t->line = line;
    t->state = THREAD_AT_WARP;
    if ((mask >> t->lane & 1u) == 0 || (mask & ~w->there) != 0) {
        block_fault(current, "divergent warp", cudaErrorLaunchFailure,
                    text("at %s the mask %#x %s (lanes that have not exited: %#x)", code_line(t).c_str(), mask,
                         (mask >> t->lane & 1u) == 0 ? "does not name the lane itself" : "names lanes that exited",
                         w->there));
        abandon_thread();
    }
    if (width < 1 || width > WARP || (width & (width - 1)) != 0) {
        block_fault(current, "divergent warp", cudaErrorLaunchFailure,
                    text("at %s: a width of %d", code_line(t).c_str(), width));
        abandon_thread();
    }
    w->arrived |= 1u << t->lane;
    if ((w->arrived & mask) == mask) {
        finish(t, w, &threads[t->warp * WARP]);
    } else {
        leave_fiber(false);
    }
    return t->result;
}

} /* namespace cudasim */
