/* SPDX-License-Identifier: Apache-2.0 */
/* The pool of threads: every block once, whoever calls, from wherever. (Built with base/ alone it runs under the thread
 * sanitizer.) */
#define _GNU_SOURCE /* sched_yield, pthread_barrier_t */
#include "test.h"

#undef fail /* a macro of Check, a function of the library */

#include "base/threads.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_BLOCKS = 1000 };

typedef struct tally {
    atomic_int times[MOST_BLOCKS];
} tally;

static void count_block(void *argument, size_t block)
{
    tally *t = argument;
    atomic_fetch_add(&t->times[block], 1);
}

static bool each_once(tally *t, size_t blocks)
{
    for (size_t i = 0; i < MOST_BLOCKS; i++) {
        if (atomic_load(&t->times[i]) != (i < blocks)) {
            return false;
        }
    }
    return true;
}

static thread_pool *pool_of(int32_t threads)
{
    thread_pool *pool;
    OK(threads_create(&memory_default, threads, &pool));
    return pool;
}

START_TEST(every_block_runs_exactly_once)
{
    const int32_t threads[] = {1, 2, 3, 7, 16};
    const size_t blocks[] = {0, 1, 2, 3, 7, 64, 999, MOST_BLOCKS};
    for (size_t i = 0; i < sizeof threads / sizeof threads[0]; i++) {
        thread_pool *pool = pool_of(threads[i]);
        ck_assert_int_eq(threads_count(pool), threads[i]);
        for (int repeat = 0; repeat < 20; repeat++) {
            for (size_t k = 0; k < sizeof blocks / sizeof blocks[0]; k++) {
                tally t = {0};
                threads_run(pool, blocks[k], count_block, &t);
                ck_assert_msg(each_once(&t, blocks[k]), "%d threads, %zu blocks", (int)threads[i], blocks[k]);
            }
        }
        threads_destroy(pool);
    }
}
END_TEST

START_TEST(zero_threads_means_those_that_are_available)
{
    thread_pool *pool = pool_of(0);
    ck_assert_int_ge(threads_count(pool), 1);
    cpu_set_t set;
    ck_assert_int_eq(sched_getaffinity(0, sizeof set, &set), 0);
    ck_assert_int_eq(threads_count(pool), CPU_COUNT(&set));
    threads_destroy(pool);
    threads_destroy(NULL);
}
END_TEST

START_TEST(a_pool_that_was_never_used_ends)
{
    threads_destroy(pool_of(8));
}
END_TEST

/* What a block writes without atomics must be seen by the caller, and what the caller wrote by the block. */
typedef struct addition {
    int from[MOST_BLOCKS], to[MOST_BLOCKS];
} addition;

static void add_one(void *argument, size_t block)
{
    addition *a = argument;
    a->to[block] = a->from[block] + 1;
}

START_TEST(plain_memory_is_visible_before_and_after_a_run)
{
    static addition a;
    thread_pool *pool = pool_of(4);
    for (int round = 0; round < 200; round++) {
        threads_run(pool, MOST_BLOCKS, add_one, &a);
        for (size_t i = 0; i < MOST_BLOCKS; i++) {
            ck_assert_int_eq(a.to[i], round + 1);
            a.from[i] = a.to[i];
        }
    }
    threads_destroy(pool);
}
END_TEST

/* ---- the workers ---- */

enum { MEETING = 4 };

typedef struct meeting {
    atomic_int arrived;
    pthread_t caller;
    pthread_t who[MEETING];
    sigset_t blocked[MEETING];
} meeting;

/* Waits until every block has begun: that takes as many threads. */
static void meet(void *argument, size_t block)
{
    meeting *m = argument;
    m->who[block] = pthread_self();
    pthread_sigmask(SIG_BLOCK, NULL, &m->blocked[block]);
    atomic_fetch_add(&m->arrived, 1);
    struct timespec pause = {0, 100000};
    for (int i = 0; i < 200000 && atomic_load(&m->arrived) < MEETING; i++) {
        nanosleep(&pause, NULL);
    }
}

START_TEST(blocks_run_at_the_same_time_on_different_threads)
{
    thread_pool *pool = pool_of(MEETING);
    meeting m = {.caller = pthread_self()};
    threads_run(pool, MEETING, meet, &m);
    bool caller_worked = false;
    for (int i = 0; i < MEETING; i++) {
        caller_worked = caller_worked || pthread_equal(m.who[i], m.caller);
        for (int j = 0; j < i; j++) {
            ck_assert(!pthread_equal(m.who[i], m.who[j]));
        }
    }
    ck_assert(caller_worked);
    threads_destroy(pool);
}
END_TEST

START_TEST(workers_block_the_hosts_signals_and_the_caller_keeps_its_mask)
{
    sigset_t before;
    sigset_t after;
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, SIGUSR2);
    ck_assert_int_eq(pthread_sigmask(SIG_BLOCK, &one, NULL), 0);
    ck_assert_int_eq(pthread_sigmask(SIG_BLOCK, NULL, &before), 0);
    thread_pool *pool = pool_of(MEETING);
    meeting m = {.caller = pthread_self()};
    threads_run(pool, MEETING, meet, &m);
    const int signals[] = {SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGCHLD, SIGPIPE, SIGPROF};
    ck_assert_int_eq(pthread_sigmask(SIG_BLOCK, NULL, &after), 0);
    for (size_t s = 0; s < sizeof signals / sizeof signals[0]; s++) {
        for (int i = 0; i < MEETING; i++) {
            int wanted = pthread_equal(m.who[i], m.caller) ? sigismember(&before, signals[s]) : 1;
            ck_assert_int_eq(sigismember(&m.blocked[i], signals[s]), wanted);
        }
        ck_assert_int_eq(sigismember(&after, signals[s]), sigismember(&before, signals[s]));
    }
    threads_destroy(pool);
}
END_TEST

/* ---- calls within calls, calls beside calls ---- */

typedef struct nesting {
    thread_pool *pool;
    tally inner[20];
    pthread_t thread[20];
    atomic_int strangers;
} nesting;

typedef struct nested_block {
    nesting *outer;
    size_t block;
} nested_block;

static void count_nested(void *argument, size_t block)
{
    nested_block *n = argument;
    atomic_fetch_add(&n->outer->inner[n->block].times[block], 1);
    if (!pthread_equal(pthread_self(), n->outer->thread[n->block])) {
        atomic_fetch_add(&n->outer->strangers, 1);
    }
}

static void run_nested(void *argument, size_t block)
{
    nesting *n = argument;
    n->thread[block] = pthread_self();
    nested_block inner = {n, block};
    threads_run(n->pool, 50, count_nested, &inner);
}

START_TEST(a_call_from_a_block_runs_on_that_blocks_thread)
{
    static nesting n;
    n.pool = pool_of(3);
    threads_run(n.pool, 20, run_nested, &n);
    for (size_t i = 0; i < 20; i++) {
        ck_assert(each_once(&n.inner[i], 50));
    }
    ck_assert_int_eq(atomic_load(&n.strangers), 0);
    threads_destroy(n.pool);
}
END_TEST

typedef struct user_thread {
    thread_pool *pool;
    pthread_barrier_t *start;
    int failures;
} user_thread;

static void *use_pool(void *argument)
{
    user_thread *u = argument;
    pthread_barrier_wait(u->start);
    for (int round = 0; round < 200; round++) {
        tally t = {0};
        threads_run(u->pool, 100, count_block, &t);
        u->failures += !each_once(&t, 100);
    }
    return NULL;
}

START_TEST(several_threads_use_one_pool_at_once)
{
    enum { USERS = 4 };
    thread_pool *pool = pool_of(3);
    pthread_barrier_t start;
    pthread_barrier_init(&start, NULL, USERS);
    user_thread users[USERS];
    pthread_t threads[USERS];
    for (int i = 0; i < USERS; i++) {
        users[i] = (user_thread){pool, &start, 0};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, use_pool, &users[i]), 0);
    }
    for (int i = 0; i < USERS; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_int_eq(users[i].failures, 0);
    }
    pthread_barrier_destroy(&start);
    threads_destroy(pool);
}
END_TEST

/* ---- fork ---- */

#ifdef __SANITIZE_THREAD__
enum { CHILD_THREADS = 1 }; /* the thread sanitizer allows no new threads in a child of fork() */
#else
enum { CHILD_THREADS = 4 };
#endif

START_TEST(a_forked_child_computes_alone_and_can_make_a_pool_of_its_own)
{
    thread_pool *pool = pool_of(4);
    tally t = {0};
    threads_run(pool, 100, count_block, &t);
    ck_assert(each_once(&t, 100));
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        alarm(30); /* a hang is a failure */
        tally inherited = {0};
        threads_run(pool, 100, count_block, &inherited);
        threads_destroy(pool);
        thread_pool *own = NULL;
        tally fresh = {0};
        bool made = threads_create(&memory_default, CHILD_THREADS, &own) == CFD_OK;
        if (made) {
            threads_run(own, 100, count_block, &fresh);
        }
        threads_destroy(own);
        _exit(made && each_once(&inherited, 100) && each_once(&fresh, 100) ? 0 : 1);
    }
    int result;
    ck_assert_int_eq(waitpid(child, &result, 0), child);
    ck_assert_msg(WIFEXITED(result) && WEXITSTATUS(result) == 0, "the child ended with %d", result);
    tally again = {0};
    threads_run(pool, 100, count_block, &again);
    ck_assert(each_once(&again, 100));
    threads_destroy(pool);
}
END_TEST

/* ---- want of memory ---- */

typedef struct limited {
    int left, live;
} limited;

static void *limited_allocate(void *user, size_t bytes)
{
    limited *l = user;
    if (l->left-- <= 0) {
        return NULL;
    }
    l->live++;
    return malloc(bytes);
}

static void limited_release(void *user, void *memory)
{
    limited *l = user;
    l->live--;
    free(memory);
}

START_TEST(a_pool_for_which_memory_is_short_is_refused_without_a_leak)
{
    limited l = {0};
    memory_source source = {limited_allocate, limited_release, &l};
    thread_pool *pool = NULL;
    int allowed = 0;
    for (;; allowed++) {
        l.left = allowed;
        cfd_status status = threads_create(&source, 4, &pool);
        if (status == CFD_OK) {
            break;
        }
        ck_assert_int_eq(status, CFD_ERROR_MEMORY);
        ck_assert_ptr_null(pool);
        ck_assert_int_eq(l.live, 0);
    }
    ck_assert_int_gt(allowed, 0);
    threads_destroy(pool);
    ck_assert_int_eq(l.live, 0);
}
END_TEST

START_TEST(blocks_of_covers_n_to_the_last)
{
    ck_assert_uint_eq(blocks_of(0, 8), 0);
    ck_assert_uint_eq(blocks_of(1, 8), 1);
    ck_assert_uint_eq(blocks_of(8, 8), 1);
    ck_assert_uint_eq(blocks_of(9, 8), 2);
    ck_assert_uint_eq(blocks_of(SIZE_MAX, 2), SIZE_MAX / 2 + 1);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("base: threads");
    TCase *t = tcase_create("threads");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, every_block_runs_exactly_once);
    tcase_add_test(t, zero_threads_means_those_that_are_available);
    tcase_add_test(t, a_pool_that_was_never_used_ends);
    tcase_add_test(t, plain_memory_is_visible_before_and_after_a_run);
    tcase_add_test(t, blocks_run_at_the_same_time_on_different_threads);
    tcase_add_test(t, workers_block_the_hosts_signals_and_the_caller_keeps_its_mask);
    tcase_add_test(t, a_call_from_a_block_runs_on_that_blocks_thread);
    tcase_add_test(t, several_threads_use_one_pool_at_once);
    tcase_add_test(t, a_forked_child_computes_alone_and_can_make_a_pool_of_its_own);
    tcase_add_test(t, a_pool_for_which_memory_is_short_is_refused_without_a_leak);
    tcase_add_test(t, blocks_of_covers_n_to_the_last);
    suite_add_tcase(s, t);
    return s;
}

TEST_MAIN(suite)
