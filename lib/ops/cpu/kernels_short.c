/* SPDX-License-Identifier: Apache-2.0 */
/* Sorting out by int8, compiled once for each instruction set: see kernels_short.h, and kernels.c for the rules of such
 * files. A tile of queries and a panel of keys are multiplied in registers and filtered while the sums are near; most tiles
 * leave nothing, so the filter is a comparison per register and the rest is plain C. */
#include "ops/cpu/kernels_short.h"
#include "ops/cpu/kernels_vector.h"

#include <math.h>

#define PANEL SHORT_PANEL
#define GROUP SHORT_GROUP

typedef int32_t ivec __attribute__((vector_size(4 * VECTOR)));
typedef int32_t loose_ivec __attribute__((vector_size(4 * VECTOR), aligned(4), may_alias));
typedef int32_t loose_int __attribute__((aligned(1), may_alias));

/* ---- rounding ---- */

static double sum_of(wide value)
{
    double sum = 0;
    for (int i = 0; i < WIDE; i++) {
        sum += value[i];
    }
    return sum;
}

static void measure(const float *row, int32_t width, short_sums *sums)
{
    wide squares[4] = {{0}};
    int32_t c = 0;
    for (; width - c >= 4 * WIDE; c += 4 * WIDE) {
        for (int i = 0; i < 4; i++) {
            wide value = load_wide(row + c + i * WIDE);
            squares[i] += value * value;
        }
    }
    double sum = sum_of((squares[0] + squares[1]) + (squares[2] + squares[3]));
    for (; c < width; c++) {
        sum += (double)row[c] * row[c];
    }
    /* Without their sign floats are in the order of their bits; those that are not numbers come last. */
    ivec most = {0};
    for (c = 0; width - c >= VECTOR; c += VECTOR) {
        ivec size = *(const loose_ivec *)(row + c) & INT32_MAX;
        ivec larger = size > most;
        most = (size & larger) | (most & ~larger);
    }
    int32_t largest = 0;
    for (int i = 0; i < VECTOR; i++) {
        largest = most[i] > largest ? most[i] : largest;
    }
    for (; c < width; c++) {
        int32_t size = *(const loose_int *)(row + c) & INT32_MAX;
        largest = size > largest ? size : largest;
    }
    __builtin_memcpy(&sums->largest, &largest, sizeof largest);
    sums->squares = sum;
}

static void round_row(const float *restrict row, int32_t width, float inverse, double factor, double unit,
                      int8_t *restrict out, short_sums *sums)
{
    int32_t sum = 0;
    int32_t sum_squares = 0;
    for (int32_t c = 0; c < width; c++) {
        float x = row[c] * inverse;
        int32_t nearest = (int32_t)(x < 0 ? x - 0.5f : x + 0.5f);
        nearest = nearest > 127 ? 127 : nearest < -127 ? -127 : nearest;
        out[c] = (int8_t)nearest;
        sum += nearest;
        sum_squares += nearest * nearest;
    }
    double lost[16] = {0}; /* chains side by side */
    int32_t c = 0;
    for (; width - c >= 16; c += 16) {
        for (int i = 0; i < 16; i++) {
            double rest = row[c + i] * factor - unit * out[c + i];
            lost[i] += rest * rest;
        }
    }
    for (; c < width; c++) {
        double rest = row[c] * factor - unit * out[c];
        lost[0] += rest * rest;
    }
    for (int i = 0; i < 16; i++) {
        sums->squares += lost[i];
    }
    sums->sum += sum;
    sums->sum_squares += sum_squares;
}

/* ---- the filter ---- */

/* Puts a lower bound in the place of the heap's top. */
static void sink(float *heap, int32_t n, float value)
{
    int32_t at = 0;
    for (;;) {
        int32_t child = 2 * at + 1;
        if (child >= n) {
            break;
        }
        child += child + 1 < n && heap[child + 1] < heap[child];
        if (heap[child] >= value) {
            break;
        }
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = value;
}

/* A threshold that no rounding makes too high: 2^-22 is four roundings of either term. */
static float threshold_of(float best, float slack)
{
    return best - slack - (fabsf(best) + slack) * 0x1p-22f;
}

static void note_lower(short_query *query, float lower)
{
    lower = lower == lower ? lower : -INFINITY; /* an item that cannot be bounded says nothing of the others */
    if (query->n_best < query->k) {
        int32_t at = query->n_best++;
        for (; at > 0 && query->best[(at - 1) / 2] > lower; at = (at - 1) / 2) {
            query->best[at] = query->best[(at - 1) / 2];
        }
        query->best[at] = lower;
        if (query->n_best < query->k) {
            return;
        }
    } else if (lower > query->best[0]) {
        sink(query->best, query->k, lower);
    } else {
        return;
    }
    query->threshold = threshold_of(query->best[0], query->slack);
}

/* Drops what the threshold has overtaken; the query is given up where that leaves most of a full list. */
static void compact(short_query *query)
{
    int32_t kept = 0;
    for (int32_t i = 0; i < query->n; i++) {
        if (!(query->list[i].upper < query->threshold)) {
            query->list[kept++] = query->list[i];
        }
    }
    query->n = kept;
    if (kept > query->capacity / 4 * 3) {
        query->given_up = true;
        query->threshold = INFINITY;
    }
}

static bool is_excluded(const short_query *query, int32_t item)
{
    size_t low = 0;
    size_t high = query->n_excluded;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (query->excluded[middle] < item) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < query->n_excluded && query->excluded[low] == item;
}

/* Takes the panel's keys whose bits are set into the list, but for excluded ones. */
static void keep(short_query *query, uint32_t bits, const int32_t *ids, const int32_t *sums, const float *bounds)
{
    for (; bits != 0 && !query->given_up; bits &= bits - 1) {
        int32_t i = __builtin_ctz(bits);
        if (is_excluded(query, ids[i])) {
            continue;
        }
        float x = (float)sums[i] * bounds[i];
        float error = query->norm_factor * bounds[PANEL + i] + query->loss_factor * bounds[2 * PANEL + i];
        query->list[query->n++] = (short_entry){x + error, ids[i]};
        note_lower(query, x - error);
        if (query->n == query->capacity) {
            compact(query);
        }
    }
}

/* Which of VECTOR upper bounds are not below the threshold; those that are not numbers are not. */
INLINE uint32_t not_below(vec upper, float threshold)
{
#if VECTOR == 16
    vec limit = threshold - (vec){0};
    uint16_t bits;
    __asm__("vcmpps $5, %2, %1, %0" : "=Yk"(bits) : "v"(upper), "v"(limit));
    return bits;
#else
    uint32_t bits = 0;
    for (int i = 0; i < VECTOR; i++) {
        bits |= (uint32_t) !(upper[i] < threshold) << i;
    }
    return bits;
#endif
}

/* One query's sums with a panel. */
INLINE void filter(short_query *query, const int32_t *sums, const float *bounds, uint32_t present, const int32_t *ids)
{
    uint32_t bits = 0;
    for (int i = 0; i < PANEL; i += VECTOR) {
        ivec sum = *(const loose_ivec *)(sums + i);
        vec upper = __builtin_convertvector(sum, vec) * load(bounds + i) + query->norm_factor * load(bounds + PANEL + i) +
                    query->loss_factor * load(bounds + 2 * PANEL + i);
        bits |= not_below(upper, query->threshold) << i;
    }
    bits &= present;
    if (__builtin_expect(bits != 0, 0)) {
        keep(query, bits, ids, sums, bounds);
    }
}

/* ---- products ---- */

#if defined(__AVX512VNNI__)

INLINE ivec multiply_add(ivec sum, ivec keys, ivec query)
{
    __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(keys), "v"(query));
    return sum;
}

/* Products of `count` queries with a panel; `chains` sums side by side for each register of sums, so that one does not wait
 * for the other. */
#define DEFINE_TILE(count, chains)                                                                                    \
    INLINE void tile_##count(const uint8_t *panel, int32_t groups, const int8_t *rounded, const short_query *queries, \
                             int32_t *out)                                                                            \
    {                                                                                                                 \
        ivec low[(count) * (chains)];                                                                                 \
        ivec high[(count) * (chains)];                                                                                \
        for (int i = 0; i < (count) * (chains); i++) {                                                                \
            low[i] = high[i] = (i < (count) ? queries[i].bias : 0) - (ivec){0};                                       \
        }                                                                                                             \
        int32_t g = 0;                                                                                                \
        _Pragma("GCC unroll 2") for (; groups - g >= (chains); g += (chains))                                         \
        {                                                                                                             \
            for (int k = 0; k < (chains); k++) {                                                                      \
                ivec keys_low = *(const loose_ivec *)(panel + (g + k) * (PANEL * GROUP));                             \
                ivec keys_high = *(const loose_ivec *)(panel + (g + k) * (PANEL * GROUP) + 4 * VECTOR);               \
                for (int i = 0; i < (count); i++) {                                                                   \
                    ivec query = *(const loose_int *)(rounded + ((g + k) * (count) + i) * GROUP) - (ivec){0};         \
                    low[k * (count) + i] = multiply_add(low[k * (count) + i], keys_low, query);                       \
                    high[k * (count) + i] = multiply_add(high[k * (count) + i], keys_high, query);                    \
                }                                                                                                     \
            }                                                                                                         \
        }                                                                                                             \
        for (; g < groups; g++) {                                                                                     \
            ivec keys_low = *(const loose_ivec *)(panel + g * (PANEL * GROUP));                                       \
            ivec keys_high = *(const loose_ivec *)(panel + g * (PANEL * GROUP) + 4 * VECTOR);                         \
            for (int i = 0; i < (count); i++) {                                                                       \
                ivec query = *(const loose_int *)(rounded + (g * (count) + i) * GROUP) - (ivec){0};                   \
                low[i] = multiply_add(low[i], keys_low, query);                                                       \
                high[i] = multiply_add(high[i], keys_high, query);                                                    \
            }                                                                                                         \
        }                                                                                                             \
        for (int i = 0; i < (count); i++) {                                                                           \
            for (int k = 1; k < (chains); k++) {                                                                      \
                low[i] += low[k * (count) + i];                                                                       \
                high[i] += high[k * (count) + i];                                                                     \
            }                                                                                                         \
            *(loose_ivec *)(out + i * PANEL) = low[i];                                                                \
            *(loose_ivec *)(out + i * PANEL + VECTOR) = high[i];                                                      \
        }                                                                                                             \
    }

DEFINE_TILE(12, 1)
DEFINE_TILE(4, 2)
DEFINE_TILE(1, 4)

#else

/* The same sums in plain C. Unsigned: the sums of products with bytes + 128 may pass through any value. */
INLINE void tile(const uint8_t *panel, int32_t groups, const int8_t *rounded, const short_query *queries, int count,
                 int32_t *out)
{
    for (int i = 0; i < count; i++) {
        uint32_t sums[PANEL] = {0};
        for (int32_t g = 0; g < groups; g++) {
            const uint8_t *keys = panel + g * (PANEL * GROUP);
            const int8_t *query = rounded + (g * count + i) * GROUP;
            for (int j = 0; j < PANEL; j++) {
                int32_t sum = 0;
                for (int b = 0; b < GROUP; b++) {
                    sum += keys[j * GROUP + b] * query[b];
                }
                sums[j] += (uint32_t)sum;
            }
        }
        for (int j = 0; j < PANEL; j++) {
            out[i * PANEL + j] = (int32_t)(sums[j] + (uint32_t)queries[i].bias);
        }
    }
}

#endif

/* ---- products, filtered ---- */

static void sift(const short_keys *keys, int32_t begin, int32_t end, const int8_t *rounded, short_query *queries, int32_t n)
{
    int32_t sums[SHORT_TILE * PANEL] __attribute__((aligned(64)));
    for (int32_t p = begin; p < end; p++) {
        const uint8_t *panel = keys->bytes + (size_t)p * (size_t)keys->groups * (PANEL * GROUP);
        const float *bounds = keys->bounds + (size_t)p * (3 * PANEL);
        int32_t first = p * PANEL;
        uint32_t present = keys->n - first < PANEL ? (UINT32_C(1) << (keys->n - first)) - 1 : UINT32_MAX;
        for (int32_t u = 0, count; u < n; u += count) {
            const int8_t *rows = rounded + (size_t)u * (size_t)keys->groups * GROUP;
            count = SHORT_TILE_OF(n - u);
#if defined(__AVX512VNNI__)
            if (count == 12) {
                tile_12(panel, keys->groups, rows, queries + u, sums);
            } else if (count == 4) {
                tile_4(panel, keys->groups, rows, queries + u, sums);
            } else {
                tile_1(panel, keys->groups, rows, queries + u, sums);
            }
#else
            tile(panel, keys->groups, rows, queries + u, count, sums);
#endif
            for (int32_t i = 0; i < count; i++) {
                filter(&queries[u + i], sums + i * PANEL, bounds, present, keys->ids + first);
            }
        }
    }
}

const short_kernels KERNELS_NAME(short_kernels, KERNELS_SET);
const short_kernels KERNELS_NAME(short_kernels, KERNELS_SET) = {
    .name = KERNELS_TEXT(KERNELS_SET),
#if defined(__AVX512VNNI__)
    .fast = true,
#endif
    .measure = measure,
    .round = round_row,
    .sift = sift,
    .note_lower = note_lower,
};
