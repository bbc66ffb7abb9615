/* SPDX-License-Identifier: Apache-2.0 */
/* The best k of a stream of scores: descending score, ties by lower id. A score that is not a number counts, and is
 * reported, as -infinity, so that it never stands before a number. */
#ifndef CFD_SERVE_TOP_K_H
#define CFD_SERVE_TOP_K_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Maps floats to integers of the same order: equal numbers (0 and -0 too) to equal integers. NaN is as
 * -infinity. */
static inline int32_t float_to_order(float value)
{
    float plain = value == value ? value + 0.0f : -INFINITY; /* + 0 makes 0 of -0 */
    int32_t bits;
    memcpy(&bits, &plain, sizeof bits);
    return bits < 0 ? bits ^ INT32_MAX : bits;
}

static inline float float_from_order(int32_t order)
{
    int32_t bits = order < 0 ? order ^ INT32_MAX : order;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The k best so far as a heap, the worst on top. An entry has the score's order above, the id's complement
 * below: the larger, the better. */
typedef struct top_k {
    uint64_t *heap; /* k; the owner's */
    size_t k, n;
    float floor; /* once n is k: what a further score must exceed */
} top_k;

void top_k_start(top_k *best, uint64_t *heap, size_t k);
/* Offers items first, first + 1, ..., first + n - 1. Ids must ascend from call to call. */
void top_k_offer(top_k *best, const float *scores, size_t n, int32_t first);
/* Offers listed items in any order, each of them once. */
void top_k_offer_listed(top_k *best, const float *scores, size_t n, const int32_t *items);
/* Forgets what has less than this score. Nothing may be offered afterwards. */
void top_k_drop_below(top_k *best, float least);
/* Writes the items best first, and their scores unless NULL; returns how many. The heap is used up. */
size_t top_k_finish(top_k *best, int32_t *items, float *scores);

#endif
