/* SPDX-License-Identifier: Apache-2.0 */
/* Callers that ask at once: see bench_callers.h. */
#define _POSIX_C_SOURCE 200809L
#include "bench_callers.h"

#include "bench.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_REQUESTS = 200000 };

typedef struct caller {
    pthread_t thread;
    const cfd_scorer *scorer;
    int32_t first, n_users, k;
    double end;
    double *seconds; /* n of them */
    size_t n;
    int code;
} caller;

static void *call(void *argument)
{
    caller *c = argument;
    int32_t *items = malloc((size_t)c->k * sizeof *items);
    float *scores = malloc((size_t)c->k * sizeof *scores);
    int32_t user = c->first;
    double now = seconds_now();
    while (items && scores && now < c->end && c->n < MOST_REQUESTS) {
        if (cfd_recommend(c->scorer, &user, 1, (size_t)c->k, NULL, items, scores, NULL) != CFD_OK) {
            c->code = EXIT_FAILED;
            break;
        }
        double after = seconds_now();
        c->seconds[c->n++] = after - now;
        now = after;
        user = (user + 97) % c->n_users;
    }
    c->code = items && scores ? c->code : EXIT_FAILED;
    free(items);
    free(scores);
    return NULL;
}

/* Of all callers' requests together. */
static int gather(const caller *callers, int32_t n_callers, double seconds, callers_times *times)
{
    size_t n = 0;
    for (int32_t i = 0; i < n_callers; i++) {
        n += callers[i].n;
    }
    double *all = malloc((n + 1) * sizeof *all);
    if (!all || n == 0) {
        free(all);
        return out_of_memory();
    }
    size_t at = 0;
    for (int32_t i = 0; i < n_callers; i++) {
        memcpy(all + at, callers[i].seconds, callers[i].n * sizeof *all);
        at += callers[i].n;
    }
    times->median = spread_of(all, n).median;
    times->p99 = all[n - 1 - n / 100]; /* sorted by now */
    times->per_second = (double)n / seconds;
    free(all);
    return EXIT_DONE;
}

int bench_callers(const cfd_scorer *scorer, int32_t n_callers, int32_t k, double seconds, callers_times *times)
{
    cfd_scorer_info info = CFD_SCORER_INFO_INIT;
    caller *callers = calloc((size_t)n_callers, sizeof *callers);
    int code = callers && cfd_scorer_get_info(scorer, &info) == CFD_OK ? EXIT_DONE : out_of_memory();
    int32_t started = 0;
    double begun = seconds_now();
    for (; started < n_callers && code == EXIT_DONE; started++) {
        caller *c = &callers[started];
        *c = (caller){.scorer = scorer,
                      .first = started * 31 % info.n_users,
                      .n_users = info.n_users,
                      .k = k,
                      .end = begun + seconds,
                      .seconds = malloc(MOST_REQUESTS * sizeof(double))};
        if (!c->seconds || pthread_create(&c->thread, NULL, call, c) != 0) {
            free(c->seconds);
            c->seconds = NULL;
            code = failed("a thread could not be started");
            break;
        }
    }
    for (int32_t i = 0; i < started; i++) {
        pthread_join(callers[i].thread, NULL);
        code = callers[i].code == EXIT_DONE ? code : failed_in_library();
    }
    double taken = seconds_now() - begun;
    code = code == EXIT_DONE ? gather(callers, n_callers, taken, times) : code;
    for (int32_t i = 0; i < started; i++) {
        free(callers[i].seconds);
    }
    free(callers);
    return code;
}
