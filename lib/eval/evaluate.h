/* SPDX-License-Identifier: Apache-2.0 */
/* The two evaluation protocols of SPEC 7 over a scorer. */
#ifndef CFD_EVAL_EVALUATE_H
#define CFD_EVAL_EVALUATE_H

#include "data/dataset.h"
#include "serve/scorer.h"

typedef struct evaluation {
    cfd_split split;
    cfd_protocol protocol;
    const int32_t *ks;
    size_t n_ks;
    int32_t negatives; /* sampled */
    uint64_t seed;     /* sampled */
} evaluation;

/* Fills metrics[n_ks] and *n_users. Works in blocks of users; memory does not grow with users x items. */
cfd_status evaluate(const scorer *s, const dataset *data, const evaluation *what, cfd_metrics *metrics, size_t *n_users);

#endif
