/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a training step: a model in a context that takes the time of every operation, stepped and read step by step,
 * so that each part's median is known and one disturbed step does not speak for all. */
#ifndef BENCH_PARTS_H
#define BENCH_PARTS_H

#include "bench.h"

typedef struct part {
    const char *operation, *detail;  /* the context's */
    double calls, operations, bytes; /* of a step, on average */
    double seconds;                  /* of a step, median */
} part;

/* Zero-initialise. */
typedef struct parts_run {
    cfd_context *context;
    cfd_model *model;
    size_t capacity, steps; /* steps that may be taken, and those that were */
    double *seconds;        /* of each step */
    double *rest;           /* what no operation took, of each step */
    double *of_kinds;       /* kinds x capacity: seconds of each kind in each step */
    size_t kinds;           /* of the profile, after the warm-up */
    double *before;         /* kinds: seconds up to the step */
    part *parts;            /* from parts_finish: those that a step has, longest first */
    size_t n;
    spread step, other; /* likewise: seconds of a step, and what no operation took */
} parts_run;

/* A profiled context as *m says, a model of the data set in it, and `warm_up` steps, one at least. Returns EXIT_DONE, or the
 * exit code after its message; parts_release is due in any case. */
int parts_begin(parts_run *run, const machine *m, const cfd_config *config, cfd_dataset *dataset, int32_t warm_up,
                size_t capacity);
int parts_step(parts_run *run);
int parts_finish(parts_run *run);
void parts_release(parts_run *run);

/* ---- what the machine can do ---- */

enum { CEILINGS = 4 };

typedef struct ceilings {
    double copy;                     /* bytes a second, each byte read and written counting twice */
    const char *precision[CEILINGS]; /* "float32", "bf16", "bf16x3", "tf32" */
    double products[CEILINGS];       /* operations a second in each; 0 where it was not measured */
} ceilings;

/* Measures them: products of the shape rows x inner times inner x columns and its gradient's in float32, bf16 and
 * `precision`, copies of 256 MiB. */
int ceilings_measure(cfd_context *context, int64_t rows, int64_t inner, int64_t columns, const char *precision, ceilings *c);

/* The precision that the parts form dense products in; "float32" where there are none. */
const char *parts_precision(const parts_run *run);
/* Times the bare products of dense features of one step, n times; zeroes where there are none. */
int parts_products(const parts_run *run, int64_t items, double *seconds, size_t n);

/* Aligned lines, or an array under "parts" and an object under "ceilings". */
void parts_table(const parts_run *run, const ceilings *c);
void parts_json(json *j, const parts_run *run, const ceilings *c);

#endif
