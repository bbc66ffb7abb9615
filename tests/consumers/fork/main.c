/* SPDX-License-Identifier: Apache-2.0 */
/* A server that trains, with threads, and then forks. The child goes on with the model and the scorer that it has inherited,
 * makes a context of its own, and exits as programs do; the parent goes on meanwhile. Both must compute the same, and
 * neither must wait for threads that are only the other's. Then a host with threads, which train and allocate while it
 * forks: children that only serve. Whoever hangs is ended by an alarm. Prints the shop's lists. */
#include "job.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 2, CHILDREN = 8, SECONDS = 60 };

static shop data;

/* What one side has computed. */
typedef struct results {
    shop_lists served, stepped, fresh;
    cfd_losses losses;
} results;

static int fail(const char *who, const char *what)
{
    fprintf(stderr, "fork: %s: %s\n", who, what);
    return 1;
}

static int train_anew(shop_lists *lists)
{
    job j;
    int failed = job_train(&j, &data, THREADS) || job_recommend(&j, &data, lists);
    job_close(&j);
    return failed;
}

/* Serves, trains one step further, serves that, and trains another model from the start. */
static int go_on(const char *who, job *j, const cfd_scorer *scorer, results *r)
{
    cfd_losses none = CFD_LOSSES_INIT;
    r->losses = none;
    int failed = job_list(scorer, &data, &r->served) || cfd_train_step(j->model, NULL, &r->losses) ||
                 job_recommend(j, &data, &r->stepped) || train_anew(&r->fresh);
    return failed ? fail(who, cfd_last_error()) : 0;
}

static int write_all(int to, const void *bytes, size_t n)
{
    const char *at = bytes;
    while (n > 0) {
        ssize_t written = write(to, at, n);
        if (written <= 0) {
            return 1;
        }
        at += written;
        n -= (size_t)written;
    }
    return 0;
}

static int read_all(int from, void *bytes, size_t n)
{
    char *at = bytes;
    while (n > 0) {
        ssize_t got = read(from, at, n);
        if (got <= 0) {
            return 1;
        }
        at += got;
        n -= (size_t)got;
    }
    return 0;
}

static int ended_well(pid_t child)
{
    int status;
    if (waitpid(child, &status, 0) != child) {
        return fail("parent", "no child to wait for");
    }
    if (WIFSIGNALED(status)) {
        return fail("child", WTERMSIG(status) == SIGALRM ? "it hung" : "a signal ended it");
    }
    return WEXITSTATUS(status) == 0 ? 0 : fail("child", "it failed");
}

/* Ends the process by exit(), so that destructors and functions of atexit() run. */
static void be_the_child(job *j, cfd_scorer *scorer, int to)
{
    static results r;
    alarm(SECONDS);
    int failed = go_on("child", j, scorer, &r) || write_all(to, &r, sizeof r);
    cfd_scorer_release(scorer);
    job_close(j);
    exit(failed);
}

static int train_then_fork(shop_lists *lists)
{
    static results of_parent;
    static results of_child;
    job j;
    cfd_scorer *scorer = NULL;
    int ends[2];
    if (job_train(&j, &data, THREADS) || cfd_scorer_create(j.model, &scorer) || job_list(scorer, &data, lists)) {
        return fail("parent", cfd_last_error());
    }
    pid_t child = pipe(ends) == 0 ? fork() : -1;
    if (child < 0) {
        return fail("parent", "no child");
    }
    if (child == 0) {
        be_the_child(&j, scorer, ends[1]);
    }
    close(ends[1]);
    int failed = go_on("parent", &j, scorer, &of_parent);
    failed = failed || read_all(ends[0], &of_child, sizeof of_child);
    failed = ended_well(child) || failed;
    close(ends[0]);
    if (!failed && memcmp(&of_parent, &of_child, sizeof of_parent) != 0) {
        failed = fail("child", "it computes differently than its parent");
    }
    if (!failed &&
        (memcmp(&of_parent.served, lists, sizeof *lists) != 0 || memcmp(&of_parent.fresh, lists, sizeof *lists) != 0)) {
        failed = fail("parent", "it computes differently than before");
    }
    cfd_scorer_release(scorer);
    job_close(&j);
    return failed;
}

/* ---- a host with threads ---- */

static atomic_int ending;
static atomic_int failures;

static void *train_on_and_on(void *unused)
{
    shop_lists *lists = malloc(sizeof *lists);
    while (lists && !atomic_load(&ending)) {
        atomic_fetch_add(&failures, train_anew(lists));
    }
    free(lists);
    return unused;
}

/* Scores with the scorer that the parent forks with, so that its context's threads may be busy in that moment. */
static void *serve_on_and_on(void *scorer)
{
    shop_lists *lists = malloc(sizeof *lists);
    while (lists && !atomic_load(&ending)) {
        atomic_fetch_add(&failures, job_list(scorer, &data, lists) != 0);
    }
    free(lists);
    return NULL;
}

static int serve_in_children(const cfd_scorer *scorer, const shop_lists *expected)
{
    static shop_lists lists;
    int failed = 0;
    for (int i = 0; i < CHILDREN && !failed; i++) {
        pid_t child = fork();
        if (child == 0) {
            alarm(SECONDS);
            failed = job_list(scorer, &data, &lists) || memcmp(&lists, expected, sizeof lists) != 0;
            _exit(failed ? fail("child", "its lists are not those of its parent") : 0);
        }
        failed = child < 0 ? fail("parent", "no child") : ended_well(child);
    }
    return failed;
}

static int fork_among_threads(const shop_lists *expected)
{
    job j;
    cfd_scorer *scorer = NULL;
    pthread_t threads[2];
    if (job_train(&j, &data, THREADS) || cfd_scorer_create(j.model, &scorer)) {
        return fail("parent", cfd_last_error());
    }
    if (pthread_create(&threads[0], NULL, train_on_and_on, NULL) ||
        pthread_create(&threads[1], NULL, serve_on_and_on, scorer)) {
        return fail("parent", "no thread");
    }
    int failed = serve_in_children(scorer, expected);
    atomic_store(&ending, 1);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    cfd_scorer_release(scorer);
    job_close(&j);
    return failed || (atomic_load(&failures) > 0 ? fail("parent", "a thread failed") : 0);
}

int main(void)
{
    static shop_lists lists;
    alarm(2 * SECONDS);
    shop_fill(&data);
    return train_then_fork(&lists) || fork_among_threads(&lists) || shop_print(&lists);
}
