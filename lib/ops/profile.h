/* SPDX-License-Identifier: Apache-2.0 */
/* How long operations take. Records kept by kind of operation, and a decorator: an instance whose table wraps another one's
 * and adds to the records. Without a profile nothing is wrapped and nothing costs.
 *
 * A kind is an operation and a detail, which tells the shapes of a step apart. Of each kind the records count
 *
 *   calls       that succeeded
 *   seconds     of monotonic time until the work was done, summed over threads where several call at once
 *   operations  floating-point operations of the mathematics, whatever the backend makes of them: a product that is formed
 *               of three counts once
 *   bytes       least traffic: every operand read once, every result written once */
#ifndef CFD_OPS_PROFILE_H
#define CFD_OPS_PROFILE_H

#include "ops/ops.h"

enum { PROFILE_KINDS = 256, PROFILE_NUMBERS = 3, PROFILE_DETAIL_BYTES = 80 };

typedef struct profile profile;

/* What tells kinds apart. The detail is the numbers, joined by " x ", and the note: "64 columns", "4096 x 128, bf16". The
 * texts are static. */
typedef struct profile_kind {
    const char *operation;
    int64_t numbers[PROFILE_NUMBERS];
    int32_t n; /* of the numbers in use */
    const char *note;
} profile_kind;

typedef struct profile_sums {
    int64_t calls;
    double seconds, operations, bytes;
} profile_sums;

/* All memory of the records: recording allocates nothing. Kinds beyond PROFILE_KINDS share the last, "other". */
cfd_status profile_create(const memory_source *memory, profile **out);
void profile_destroy(profile *p); /* accepts NULL */

/* The following may be called by any number of threads at once. */
void profile_add(profile *p, const profile_kind *kind, const profile_sums *more);
/* How many kinds there are; they keep their numbers, in the order in which they were first met. */
size_t profile_count(profile *p);
/* Of a kind below profile_count. The texts live as long as the profile. */
void profile_get(profile *p, size_t index, const char **operation, const char **detail, profile_sums *sums);
/* All sums to zero; the kinds stay. */
void profile_reset(profile *p);

/* An instance that computes by `inner`, and takes it over, also where it fails. `p` outlives it. Instances that it makes
 * record in the same place. Features made by it are used with such instances only. */
cfd_status ops_create_profiled(ops *inner, profile *p, ops **out);

#endif
