/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* sched_getaffinity */
#include "base/threads.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

struct thread_pool {
    const memory_source *source;
    int32_t threads;         /* never changes */
    int32_t awake;           /* how long waiting threads stay awake; never changes */
    pid_t owner;             /* after fork() the child sees that the workers are not its own */
    atomic_flag busy;        /* held by the call that is using the workers */
    pthread_mutex_t mutex;   /* guards everything below */
    pthread_cond_t wake;     /* workers: there is a new round, or the end */
    pthread_cond_t finished; /* caller: the last worker has left the round */
    pthread_t *workers;
    int32_t wanted; /* workers to start: fewer than asked for where the system refuses */
    int32_t started;
    bool ending;
    /* read without the mutex, by those who wait awake */
    atomic_int working; /* workers that have not left the present round */
    atomic_uint_fast64_t round;
    /* the present round */
    thread_block block;
    void *argument;
    size_t blocks;
    atomic_size_t next;
};

static int32_t available_processors(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) {
        return CPU_COUNT(&set);
    }
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (int32_t)online : 1;
}

/* Operations follow one another within microseconds, and to be woken takes longer than that. So who waits stays awake for a
 * little while, some 15 to 50 microseconds by processor, and sleeps only then; never where there are more threads than
 * processors, since whoever is awaited may need the processor. */
enum { AWAKE = 1000 };

cfd_status threads_create(const memory_source *source, int32_t threads, thread_pool **out)
{
    thread_pool *pool;
    TRY(memory_allocate_zero(source, 1, sizeof *pool, "a thread pool", &pool));
    pool->source = source;
    int32_t processors = available_processors();
    pool->threads = threads > 0 ? threads : processors;
    pool->awake = pool->threads <= processors ? AWAKE : 0;
    pool->wanted = pool->threads - 1;
    pool->owner = getpid();
    atomic_flag_clear(&pool->busy);
    cfd_status status = memory_allocate_zero(source, (size_t)pool->threads, sizeof *pool->workers, "a thread pool",
                                             &pool->workers);
    if (status != CFD_OK) {
        memory_release(source, pool);
        return status;
    }
    if (pthread_mutex_init(&pool->mutex, NULL) != 0) {
        goto refused;
    }
    if (pthread_cond_init(&pool->wake, NULL) != 0) {
        goto no_wake;
    }
    if (pthread_cond_init(&pool->finished, NULL) != 0) {
        goto no_finished;
    }
    *out = pool;
    return CFD_OK;
no_finished:
    pthread_cond_destroy(&pool->wake);
no_wake:
    pthread_mutex_destroy(&pool->mutex);
refused:
    memory_release(source, pool->workers);
    memory_release(source, pool);
    return fail(CFD_ERROR_SYSTEM, "the system refused a mutex or condition variable for a thread pool");
}

static void pause_briefly(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

static void await_round(thread_pool *pool, uint64_t seen)
{
    for (int i = 0; i < pool->awake && atomic_load_explicit(&pool->round, memory_order_relaxed) == seen; i++) {
        pause_briefly();
    }
}

static void await_workers(thread_pool *pool)
{
    for (int i = 0; i < pool->awake && atomic_load_explicit(&pool->working, memory_order_relaxed) > 0; i++) {
        pause_briefly();
    }
}

static void run_blocks(thread_pool *pool)
{
    for (;;) {
        size_t i = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
        if (i >= pool->blocks) {
            return;
        }
        pool->block(pool->argument, i);
    }
}

static void *work(void *argument)
{
    thread_pool *pool = argument;
    uint64_t seen = 0;
    pthread_mutex_lock(&pool->mutex);
    for (;;) {
        while (atomic_load(&pool->round) == seen && !pool->ending) {
            pthread_cond_wait(&pool->wake, &pool->mutex);
        }
        if (pool->ending) {
            break;
        }
        seen = atomic_load(&pool->round);
        pthread_mutex_unlock(&pool->mutex);
        run_blocks(pool);
        pthread_mutex_lock(&pool->mutex);
        if (atomic_fetch_sub(&pool->working, 1) == 1) {
            pthread_cond_signal(&pool->finished);
        }
        pthread_mutex_unlock(&pool->mutex);
        await_round(pool, seen);
        pthread_mutex_lock(&pool->mutex);
    }
    pthread_mutex_unlock(&pool->mutex);
    return NULL;
}

/* The host's signals stay with the host's threads: workers block them all. */
static void start_workers(thread_pool *pool)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0) {
        return;
    }
    while (pool->started < pool->wanted) {
        if (pthread_create(&pool->workers[pool->started], NULL, work, pool) != 0) {
            pool->wanted = pool->started; /* fewer threads, same results */
            break;
        }
        pool->started++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void threads_run(thread_pool *pool, size_t blocks, thread_block block, void *argument)
{
    bool alone = blocks <= 1 || pool->threads == 1 || pool->owner != getpid();
    if (alone || atomic_flag_test_and_set_explicit(&pool->busy, memory_order_acquire)) {
        for (size_t i = 0; i < blocks; i++) {
            block(argument, i);
        }
        return;
    }
    pthread_mutex_lock(&pool->mutex);
    if (pool->started < pool->wanted) {
        start_workers(pool); /* a new worker waits for the mutex, then finds the round below */
    }
    pool->block = block;
    pool->argument = argument;
    pool->blocks = blocks;
    atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
    atomic_store(&pool->working, pool->started);
    atomic_fetch_add(&pool->round, 1);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->mutex);

    run_blocks(pool);

    await_workers(pool);
    pthread_mutex_lock(&pool->mutex);
    while (atomic_load(&pool->working) > 0) {
        pthread_cond_wait(&pool->finished, &pool->mutex);
    }
    pthread_mutex_unlock(&pool->mutex);
    atomic_flag_clear_explicit(&pool->busy, memory_order_release);
}

/* ---- lanes: as many blocks of the pool as may go on at once, each of which takes one block after the other ---- */

typedef struct lane_job {
    thread_lane_block block;
    void *argument;
    size_t blocks;
    atomic_size_t next;
} lane_job;

static void run_lane(void *argument, size_t lane)
{
    lane_job *job = argument;
    for (;;) {
        size_t i = atomic_fetch_add_explicit(&job->next, 1, memory_order_relaxed);
        if (i >= job->blocks) {
            return;
        }
        job->block(job->argument, (int32_t)lane, i);
    }
}

void threads_run_lanes(thread_pool *pool, size_t blocks, thread_lane_block block, void *argument)
{
    lane_job job = {.block = block, .argument = argument, .blocks = blocks};
    atomic_init(&job.next, 0);
    size_t lanes = (size_t)pool->threads < blocks ? (size_t)pool->threads : blocks;
    threads_run(pool, lanes, run_lane, &job);
}

int32_t threads_count(const thread_pool *pool)
{
    return pool->threads;
}

void threads_destroy(thread_pool *pool)
{
    if (!pool) {
        return;
    }
    if (pool->owner == getpid()) {
        pthread_mutex_lock(&pool->mutex);
        pool->ending = true;
        pthread_cond_broadcast(&pool->wake);
        pthread_mutex_unlock(&pool->mutex);
        for (int32_t i = 0; i < pool->started; i++) {
            pthread_join(pool->workers[i], NULL);
        }
        pthread_cond_destroy(&pool->finished);
        pthread_cond_destroy(&pool->wake);
        pthread_mutex_destroy(&pool->mutex);
    }
    memory_release(pool->source, pool->workers);
    memory_release(pool->source, pool);
}
