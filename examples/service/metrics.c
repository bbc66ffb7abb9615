/* SPDX-License-Identifier: Apache-2.0 */
/* Counters, and the text that Prometheus reads: see metrics.h. */
#include "metrics.h"

#include <inttypes.h>

static const unsigned statuses[N_STATUSES] = {200, 400, 404, 405, 413, 500};

/* Upper bounds of the histogram, in nanoseconds, and as they are written, in seconds. */
static const struct {
    uint64_t nanoseconds;
    const char *seconds;
} bounds[N_BUCKETS] = {
    {50000, "0.00005"}, {100000, "0.0001"}, {250000, "0.00025"}, {500000, "0.0005"}, {1000000, "0.001"}, {2500000, "0.0025"},
    {5000000, "0.005"}, {10000000, "0.01"}, {25000000, "0.025"}, {100000000, "0.1"}, {500000000, "0.5"}, {2500000000, "2.5"},
};

void metrics_count(service_metrics *m, endpoint asked, unsigned status, uint64_t nanoseconds)
{
    for (size_t s = 0; s < N_STATUSES; s++) {
        if (statuses[s] == status) {
            atomic_fetch_add(&m->requests[asked][s], 1);
        }
    }
    size_t bucket = 0;
    while (bucket < N_BUCKETS && nanoseconds > bounds[bucket].nanoseconds) {
        bucket++;
    }
    atomic_fetch_add(&m->durations[asked][bucket], 1);
    atomic_fetch_add(&m->nanoseconds[asked], nanoseconds);
}

static void write_header(FILE *out, const char *name, const char *type, const char *help)
{
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* Buckets are cumulative; the last, and the count, come from the same numbers, so that they agree while others count. */
static void write_durations(service_metrics *m, endpoint e, FILE *out)
{
    const char *name = endpoint_name(e);
    uint64_t sum = atomic_load(&m->nanoseconds[e]), n = 0;
    for (size_t b = 0; b < N_BUCKETS; b++) {
        n += atomic_load(&m->durations[e][b]);
        fprintf(out, "cfdtbd_request_duration_seconds_bucket{endpoint=\"%s\",le=\"%s\"} %" PRIu64 "\n", name,
                bounds[b].seconds, n);
    }
    n += atomic_load(&m->durations[e][N_BUCKETS]);
    fprintf(out, "cfdtbd_request_duration_seconds_bucket{endpoint=\"%s\",le=\"+Inf\"} %" PRIu64 "\n", name, n);
    fprintf(out, "cfdtbd_request_duration_seconds_sum{endpoint=\"%s\"} %" PRIu64 ".%09" PRIu64 "\n", name, sum / 1000000000,
            sum % 1000000000);
    fprintf(out, "cfdtbd_request_duration_seconds_count{endpoint=\"%s\"} %" PRIu64 "\n", name, n);
}

void metrics_write(service_metrics *m, int64_t steps, FILE *out)
{
    write_header(out, "cfdtbd_requests_total", "counter", "Requests that were answered.");
    for (int e = 0; e < N_ENDPOINTS; e++) {
        for (size_t s = 0; s < N_STATUSES; s++) {
            fprintf(out, "cfdtbd_requests_total{endpoint=\"%s\",status=\"%u\"} %" PRIu64 "\n", endpoint_name((endpoint)e),
                    statuses[s], (uint64_t)atomic_load(&m->requests[e][s]));
        }
    }
    write_header(out, "cfdtbd_request_duration_seconds", "histogram",
                 "From a request's header to its answer, sending apart.");
    for (int e = 0; e < N_ENDPOINTS; e++) {
        write_durations(m, (endpoint)e, out);
    }
    write_header(out, "cfdtbd_reloads_total", "counter", "Models loaded in place of the one before, or in vain.");
    fprintf(out, "cfdtbd_reloads_total{result=\"done\"} %" PRIu64 "\n", (uint64_t)atomic_load(&m->reloads));
    fprintf(out, "cfdtbd_reloads_total{result=\"failed\"} %" PRIu64 "\n", (uint64_t)atomic_load(&m->failed_reloads));
    write_header(out, "cfdtbd_model_steps", "gauge", "Training steps behind the model that serves.");
    fprintf(out, "cfdtbd_model_steps %" PRId64 "\n", steps);
}
