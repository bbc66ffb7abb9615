/* SPDX-License-Identifier: Apache-2.0 */
/* Scores of pairs: see pairs.h.
 *
 * What they cost is reading the rows. In the order of users every pair reads another key from far away; in about
 * the order of items, the key was just read for another user, and the queries of a block's users stay in the
 * cache. */
#include "eval/pairs.h"

enum {
    BUCKETS = 1024, /* of neighbouring items */
    LANES = 16      /* sums of a product: a fixed number, whatever the processor's vectors */
};

static float product(const float *restrict query, const float *restrict key, int32_t width)
{
    float sums[LANES] = {0};
    int32_t c = 0;
    for (; width - c >= LANES; c += LANES) {
        for (int32_t lane = 0; lane < LANES; lane++) {
            sums[lane] += query[c + lane] * key[c + lane];
        }
    }
    for (int32_t lane = 0; c + lane < width; lane++) {
        sums[lane] += query[c + lane] * key[c + lane];
    }
    for (int32_t half = LANES / 2; half > 0; half /= 2) {
        for (int32_t lane = 0; lane < half; lane++) {
            sums[lane] += sums[lane + half];
        }
    }
    return sums[0];
}

/* The pairs' numbers by bucket of their item. */
static void order_by_item(const int32_t *items, size_t n, int32_t n_items, uint32_t *order)
{
    int shift = 0;
    while ((n_items - 1) >> shift >= BUCKETS) {
        shift++;
    }
    uint32_t ends[BUCKETS] = {0};
    for (size_t p = 0; p < n; p++) {
        ends[items[p] >> shift]++;
    }
    for (size_t bucket = 1; bucket < BUCKETS; bucket++) {
        ends[bucket] += ends[bucket - 1];
    }
    for (size_t p = n; p > 0; p--) {
        order[--ends[items[p - 1] >> shift]] = (uint32_t)(p - 1);
    }
}

void pairs_score(const scorer *s, const int32_t *users, const int32_t *items, size_t n, uint32_t *order, float *scores)
{
    order_by_item(items, n, s->items, order);
    for (size_t i = 0; i < n; i++) {
        size_t p = order[i];
        const float *query = s->queries + (size_t)users[p] * (size_t)s->width;
        const float *key = s->keys + (size_t)items[p] * (size_t)s->width;
        scores[p] = product(query, key, s->width);
    }
}
