/* SPDX-License-Identifier: Apache-2.0 */
/* What the service counts of itself, written as Prometheus reads it (text format 0.0.4). All of it by atomic additions. */
#ifndef SERVICE_METRICS_H
#define SERVICE_METRICS_H

#include "questions.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>

enum { N_STATUSES = 6, N_BUCKETS = 12 };

/* All zero to begin with. */
typedef struct service_metrics {
    atomic_uint_fast64_t requests[N_ENDPOINTS][N_STATUSES];
    atomic_uint_fast64_t durations[N_ENDPOINTS][N_BUCKETS + 1]; /* the last: longer than every bound */
    atomic_uint_fast64_t nanoseconds[N_ENDPOINTS];
    atomic_uint_fast64_t reloads, failed_reloads;
} service_metrics;

/* One request, answered with an HTTP status of 200, 400, 404, 405, 413 or 500 after so many nanoseconds. */
void metrics_count(service_metrics *m, endpoint asked, unsigned status, uint64_t nanoseconds);
/* steps: training steps behind the model that serves. */
void metrics_write(service_metrics *m, int64_t steps, FILE *out);

#endif
