/* SPDX-License-Identifier: Apache-2.0 */
/* Ranking metrics: see metrics.h. */
#include "eval/metrics.h"

#include <math.h>
#include <string.h>

cfd_status metric_table_init(metric_table *table, const memory_source *memory, const int32_t *ks, size_t n_ks)
{
    size_t largest = 1;
    for (size_t i = 0; i < n_ks; i++) {
        largest = (size_t)ks[i] > largest ? (size_t)ks[i] : largest;
    }
    *table = (metric_table){memory, ks, n_ks, NULL, NULL};
    TRY(memory_allocate(memory, largest, sizeof *table->discounts, "an evaluation", &table->discounts));
    cfd_status status = memory_allocate(memory, largest + 1, sizeof *table->ideals, "an evaluation", &table->ideals);
    if (status != CFD_OK) {
        metric_table_release(table);
        return status;
    }
    table->ideals[0] = 0.0;
    for (size_t rank = 0; rank < largest; rank++) {
        table->discounts[rank] = log(2.0) / log((double)rank + 2.0);
        table->ideals[rank + 1] = table->ideals[rank] + table->discounts[rank];
    }
    return CFD_OK;
}

void metric_table_release(metric_table *table)
{
    if (table->memory) {
        memory_release(table->memory, table->discounts);
        memory_release(table->memory, table->ideals);
    }
    memset(table, 0, sizeof *table);
}

void metrics_add(const metric_table *table, const int32_t *ranks, size_t n, double weight, cfd_metrics *sums)
{
    for (size_t i = 0; i < table->n_ks; i++) {
        int32_t k = table->ks[i];
        size_t hits = 0;
        double gain = 0.0;
        double precisions = 0.0;
        for (; hits < n && ranks[hits] < k; hits++) {
            gain += table->discounts[ranks[hits]];
            precisions += (double)(hits + 1) / ((double)ranks[hits] + 1.0);
        }
        if (hits == 0) {
            continue;
        }
        size_t possible = n < (size_t)k ? n : (size_t)k;
        sums[i].hr += weight;
        sums[i].ndcg += weight * (gain / table->ideals[possible]);
        sums[i].recall += weight * ((double)hits / (double)n);
        sums[i].precision += weight * ((double)hits / (double)k);
        sums[i].map += weight * (precisions / (double)possible);
        sums[i].mrr += weight / ((double)ranks[0] + 1.0);
    }
}
