/* SPDX-License-Identifier: Apache-2.0 */
/* The queue: operations run late, when something is waited for, in any order that what they wait for allows. */
#include "queue.h"

#include "races.h"

#include <sched.h>
#include <time.h>

namespace cudasim {

operation *running;
progress &host_known = *new progress;
static std::vector<operation_ref> &ready = *new std::vector<operation_ref>;
static size_t pending; /* submitted and not done */
static progress &submitted = *new progress;
static unsigned lanes;

void join(progress *to, const progress &from)
{
    if (to->size() < from.size()) {
        to->resize(from.size());
    }
    for (size_t i = 0; i < from.size(); i++) {
        (*to)[i] = (*to)[i] < from[i] ? from[i] : (*to)[i];
    }
}

void reach(progress *to, unsigned lane, uint32_t number)
{
    if (to->size() <= lane) {
        to->resize(lane + 1);
    }
    (*to)[lane] = number;
}

unsigned new_lane()
{
    return lanes++;
}

void submit(const operation_ref &o, const std::vector<operation_ref> &after)
{
    for (const operation_ref &before : after) {
        if (before != nullptr && !before->done) {
            before->next.push_back(o);
            o->waits_for++;
        }
    }
    pending++;
    reach(&submitted, o->lane, o->number);
    if (o->waits_for == 0) {
        ready.push_back(o);
    }
}

/* A function of the host's runs without the lock, which it may need others to be able to take, and without device memory. */
static void run_host_function(operation *o)
{
    int shut = shut_memory();
    operation *outer = running;
    running = nullptr;
    this_thread().in_host_function = true;
    int depth = lock.suspend();
    o->work();
    lock.resume(depth);
    this_thread().in_host_function = false;
    running = outer;
    reopen_memory(shut);
}

static void run(const operation_ref &o)
{
    if (sticky_error == cudaSuccess && o->work) {
        if (o->kind == OPERATION_HOST) {
            run_host_function(o.get());
        } else {
            running = o.get();
            begin_access(*o);
            o->work();
            end_access();
            running = nullptr;
        }
    }
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    o->time = (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
    o->done = true;
    o->work = nullptr;
    pending--;
    for (const operation_ref &next : o->next) {
        if (--next->waits_for == 0) {
            ready.push_back(next);
        }
    }
    o->next.clear();
}

/* False: there is nothing that could run now. */
static bool run_one()
{
    if (ready.empty()) {
        return false;
    }
    unsigned i = chance((unsigned)ready.size());
    operation_ref o = ready[i];
    ready[i] = ready.back();
    ready.pop_back();
    run(o);
    return true;
}

/* Another thread runs what is waited for: a function of the host's. */
static void let_others_run()
{
    int shut = shut_memory();
    int depth = lock.suspend();
    sched_yield();
    lock.resume(depth);
    reopen_memory(shut);
}

void wait_for(const operation_ref &o)
{
    if (o == nullptr) {
        return;
    }
    if (!o->done) {
        open_memory open;
        while (!o->done) {
            if (!run_one()) {
                let_others_run();
            }
        }
    }
    join(&host_known, o->known);
    if (pending == 0) {
        settle();
    }
}

void wait_for_all()
{
    if (pending > 0) {
        open_memory open;
        while (pending > 0) {
            if (!run_one()) {
                let_others_run();
            }
        }
    }
    join(&host_known, submitted);
    settle();
}

void let_time_pass()
{
    open_memory open;
    for (unsigned n = 1 + chance(3); n > 0 && run_one(); n--) {
    }
}

} /* namespace cudasim */
