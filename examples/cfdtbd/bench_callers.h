/* SPDX-License-Identifier: Apache-2.0 */
/* Requests for one user's list by several threads at once, as a service makes them. */
#ifndef BENCH_CALLERS_H
#define BENCH_CALLERS_H

#include "program.h"

/* What they got: lists per second of all callers together, and how long a list took, in seconds. */
typedef struct callers_times {
    double per_second, median, p99;
} callers_times;

/* `callers` threads ask for the best k of one user after the other, for about `seconds`. */
int bench_callers(const cfd_scorer *scorer, int32_t callers, int32_t k, double seconds, callers_times *times);

#endif
