/* SPDX-License-Identifier: Apache-2.0 */
/* Ranking metrics of a user from the ranks of the held-out items (SPEC 7). Ranks count from 0.
 *
 *   HR         1 if any rank is below K
 *   Recall     hits / held-out items            Precision   hits / K
 *   NDCG       sum over hits of log 2 / log(rank + 2), divided by the same sum of the ideal ranks 0, 1, ...
 *   MAP        sum over hits of the precision at the hit, divided by min(held-out items, K)
 *   MRR        1 / (rank of the first hit + 1) */
#ifndef CFD_EVAL_METRICS_H
#define CFD_EVAL_METRICS_H

#include "base/memory.h"

/* Cut-offs, and the logarithms that they need. */
typedef struct metric_table {
    const memory_source *memory;
    const int32_t *ks; /* the owner's */
    size_t n_ks;
    double *discounts; /* log 2 / log(rank + 2) of every rank below the largest K */
    double *ideals;    /* ideals[n]: sum of the first n discounts */
} metric_table;

cfd_status metric_table_init(metric_table *table, const memory_source *memory, const int32_t *ks, size_t n_ks);
void metric_table_release(metric_table *table);

/* sums[n_ks] += weight * the metrics of a user whose n held-out items (at least one) have these ranks,
 * ascending. */
void metrics_add(const metric_table *table, const int32_t *ranks, size_t n, double weight, cfd_metrics *sums);

#endif
