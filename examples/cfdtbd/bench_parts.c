/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a training step, from the profile of its context. */
#include "bench_parts.h"

#include <stdlib.h>
#include <string.h>

/* ---- stepping ---- */

int parts_begin(parts_run *run, const machine *m, const cfd_config *config, cfd_dataset *dataset, int32_t warm_up,
                size_t capacity)
{
    machine profiled = *m;
    profiled.profile = true;
    int code = open_context(&profiled, &run->context);
    if (code != EXIT_DONE) {
        return code;
    }
    if (cfd_model_create(run->context, config, dataset, &run->model) != CFD_OK) {
        return failed_in_library();
    }
    cfd_context_reset_profile(run->context); /* what making a model takes is no part of a step */
    for (int32_t k = 0; k < (warm_up > 0 ? warm_up : 1); k++) {
        if (cfd_train_step(run->model, NULL, NULL) != CFD_OK) {
            return failed_in_library();
        }
    }
    run->capacity = capacity;
    run->kinds = cfd_context_profile_count(run->context);
    run->seconds = malloc(capacity * sizeof(double));
    run->rest = malloc(capacity * sizeof(double));
    run->before = malloc(run->kinds * sizeof(double));
    run->parts = malloc(run->kinds * sizeof *run->parts);
    run->of_kinds = capacity <= SIZE_MAX / sizeof(double) / run->kinds ? malloc(run->kinds * capacity * sizeof(double))
                                                                       : NULL;
    cfd_context_reset_profile(run->context);
    return run->seconds && run->rest && run->before && run->parts && run->of_kinds ? EXIT_DONE : out_of_memory();
}

static cfd_profile_entry entry_at(const parts_run *run, size_t kind)
{
    cfd_profile_entry entry = CFD_PROFILE_ENTRY_INIT;
    (void)cfd_context_get_profile(run->context, kind, &entry); /* the kind exists */
    return entry;
}

int parts_step(parts_run *run)
{
    size_t step = run->steps;
    for (size_t k = 0; k < run->kinds; k++) {
        run->before[k] = entry_at(run, k).seconds;
    }
    double begun = seconds_now();
    if (cfd_train_step(run->model, NULL, NULL) != CFD_OK) {
        return failed_in_library();
    }
    double rest = run->seconds[step] = seconds_now() - begun;
    for (size_t k = 0; k < run->kinds; k++) {
        double seconds = entry_at(run, k).seconds - run->before[k];
        run->of_kinds[k * run->capacity + step] = seconds;
        rest -= seconds;
    }
    run->rest[step] = rest;
    run->steps++;
    return EXIT_DONE;
}

static int longest_first(const void *a, const void *b)
{
    double x = ((const part *)a)->seconds;
    double y = ((const part *)b)->seconds;
    return (x < y) - (x > y);
}

int parts_finish(parts_run *run)
{
    double steps = (double)run->steps;
    for (size_t k = 0; k < run->kinds; k++) {
        cfd_profile_entry entry = entry_at(run, k);
        if (entry.calls > 0) {
            run->parts[run->n++] = (part){entry.operation,
                                          entry.detail,
                                          (double)entry.calls / steps,
                                          entry.operations / steps,
                                          entry.bytes / steps,
                                          spread_of(run->of_kinds + k * run->capacity, run->steps).median};
        }
    }
    qsort(run->parts, run->n, sizeof *run->parts, longest_first);
    run->step = spread_of(run->seconds, run->steps);
    run->other = spread_of(run->rest, run->steps);
    return EXIT_DONE;
}

void parts_release(parts_run *run)
{
    cfd_model_destroy(run->model);
    cfd_context_destroy(run->context);
    free(run->seconds);
    free(run->rest);
    free(run->before);
    free(run->of_kinds);
    free(run->parts);
}

/* ---- probes ---- */

enum { PROBE_REPETITIONS = 7, COPY_BYTES = 1 << 28 };

/* Zeroes where the device does not multiply so. */
static int run_probe(cfd_context *context, int32_t kind, const char *precision, int64_t rows, int64_t inner, int64_t columns,
                     double *seconds, size_t n)
{
    cfd_probe probe = CFD_PROBE_INIT;
    probe.kind = kind;
    probe.precision = precision;
    probe.rows = rows;
    probe.inner = inner;
    probe.columns = columns;
    memset(seconds, 0, n * sizeof *seconds);
    cfd_status status = cfd_context_probe(context, &probe, seconds, n);
    return status == CFD_OK || status == CFD_ERROR_DEVICE ? EXIT_DONE : failed_in_library();
}

/* A ceiling is the best that was seen. */
int ceilings_measure(cfd_context *context, int64_t rows, int64_t inner, int64_t columns, const char *precision, ceilings *c)
{
    double operations = 2.0 * (double)rows * (double)inner * (double)columns;
    double seconds[PROBE_REPETITIONS] = {0};
    double least;
    *c = (ceilings){0, {"float32", "bf16", "bf16x3", "tf32"}, {0}};
    int code = run_probe(context, CFD_PROBE_COPY, NULL, COPY_BYTES, 0, 0, seconds, PROBE_REPETITIONS);
    if (code == EXIT_DONE) {
        c->copy = 2.0 * COPY_BYTES / spread_of(seconds, PROBE_REPETITIONS).least;
    }
    for (int p = 0; p < CEILINGS; p++) {
        if (strcmp(c->precision[p], "bf16x3") == 0 && strcmp(precision, "bf16x3") != 0) {
            continue; /* takes long, and is no ceiling of anything then */
        }
        for (int32_t kind = CFD_PROBE_PROJECT; kind <= CFD_PROBE_GRADIENT && code == EXIT_DONE; kind++) {
            code = run_probe(context, kind, c->precision[p], rows, inner, columns, seconds, PROBE_REPETITIONS);
            least = spread_of(seconds, PROBE_REPETITIONS).least;
            if (code == EXIT_DONE && least > 0 && operations / least > c->products[p]) {
                c->products[p] = operations / least;
            }
        }
    }
    return code;
}

/* A part "project" or "gradient of project" of dense features: 1 or 2, a kind of probe; else 0. */
static int32_t dense_product(const part *p, int64_t *inner, int64_t *columns)
{
    long long a, b;
    int32_t kind = strcmp(p->operation, "project") == 0               ? CFD_PROBE_PROJECT
                   : strcmp(p->operation, "gradient of project") == 0 ? CFD_PROBE_GRADIENT
                                                                      : 0;
    if (kind == 0 || strstr(p->detail, "sparse") || sscanf(p->detail, "%lld x %lld", &a, &b) != 2) {
        return 0;
    }
    *inner = a;
    *columns = b;
    return kind;
}

/* The precision of a part's products. */
static const char *precision_of(const part *p)
{
    return strstr(p->detail, ", bf16x3") ? "bf16x3"
           : strstr(p->detail, ", bf16") ? "bf16"
           : strstr(p->detail, ", tf32") ? "tf32"
                                         : "float32";
}

const char *parts_precision(const parts_run *run)
{
    int64_t inner, columns;
    for (size_t i = 0; i < run->n; i++) {
        if (dense_product(&run->parts[i], &inner, &columns)) {
            return precision_of(&run->parts[i]);
        }
    }
    return "float32";
}

int parts_products(const parts_run *run, int64_t items, double *seconds, size_t n)
{
    int64_t inner, columns;
    int code = EXIT_DONE;
    double *bare = malloc(n * sizeof *bare);
    if (!bare) {
        return out_of_memory();
    }
    memset(seconds, 0, n * sizeof *seconds);
    for (size_t i = 0; i < run->n && code == EXIT_DONE; i++) {
        const part *p = &run->parts[i];
        int32_t kind = dense_product(p, &inner, &columns);
        if (kind) {
            code = run_probe(run->context, kind, precision_of(p), items, inner, columns, bare, n);
        }
        for (size_t k = 0; k < n && kind && code == EXIT_DONE; k++) {
            seconds[k] += bare[k] * p->calls;
        }
    }
    free(bare);
    return code;
}

/* ---- tables ---- */

/* How near a part comes to the ceiling that it is nearest to. */
static double fraction_of(const part *p, const ceilings *c, const char **ceiling)
{
    double products = 0;
    for (int k = 0; k < CEILINGS; k++) {
        if (strcmp(c->precision[k], precision_of(p)) == 0 && c->products[k] > 0) {
            products = p->operations / p->seconds / c->products[k];
        }
    }
    double copy = p->bytes / p->seconds / c->copy;
    *ceiling = products > copy ? "products" : "copy";
    return products > copy ? products : copy;
}

void parts_table(const parts_run *run, const ceilings *c)
{
    double step = run->step.median;
    printf("\nparts of a step             shape                                  ms  share  GFLOP/s   GB/s  of ceiling\n");
    for (size_t i = 0; i < run->n; i++) {
        const part *p = &run->parts[i];
        const char *ceiling;
        double fraction = fraction_of(p, c, &ceiling);
        printf("%-26s  %-30s  %9.3f  %4.1f%%  %7.1f  %5.1f  ", p->operation, p->detail, p->seconds * 1e3,
               100 * p->seconds / step, p->operations / p->seconds * 1e-9, p->bytes / p->seconds * 1e-9);
        if (p->operations > 0 || p->bytes > 0) {
            printf("%3.0f%% %s\n", 100 * fraction, ceiling);
        } else {
            printf("\n");
        }
    }
    printf("%-26s  %-30s  %9.3f  %4.1f%%\n", "other", "", run->other.median * 1e3, 100 * run->other.median / step);
    printf("\nceilings                    copy %.1f GB/s; products", c->copy * 1e-9);
    for (int k = 0, n = 0; k < CEILINGS; k++) {
        if (c->products[k] > 0) {
            printf("%s %.0f GFLOP/s in %s", n++ ? "," : "", c->products[k] * 1e-9, c->precision[k]);
        }
    }
    printf("\n");
}

void parts_json(json *j, const parts_run *run, const ceilings *c)
{
    json_number(j, "profiled_step_ms", run->step.median * 1e3);
    json_number(j, "other_ms", run->other.median * 1e3);
    json_open(j, "ceilings", '{');
    json_number(j, "copy_gb_per_second", c->copy * 1e-9);
    json_open(j, "products_gflops", '{');
    for (int k = 0; k < CEILINGS; k++) {
        if (c->products[k] > 0) {
            json_number(j, c->precision[k], c->products[k] * 1e-9);
        }
    }
    json_close(j, '}');
    json_close(j, '}');
    json_open(j, "parts", '[');
    for (size_t i = 0; i < run->n; i++) {
        const part *p = &run->parts[i];
        const char *ceiling;
        double fraction = fraction_of(p, c, &ceiling);
        json_open(j, NULL, '{');
        json_text(j, "operation", p->operation);
        json_text(j, "detail", p->detail);
        json_number(j, "calls", p->calls);
        json_number(j, "ms", p->seconds * 1e3);
        json_number(j, "share", p->seconds / run->step.median);
        json_number(j, "gflops", p->operations / p->seconds * 1e-9);
        json_number(j, "gb_per_second", p->bytes / p->seconds * 1e-9);
        json_text(j, "ceiling", ceiling);
        json_number(j, "fraction", fraction);
        json_close(j, '}');
    }
    json_close(j, ']');
}
