/* SPDX-License-Identifier: Apache-2.0 */
/* The inner loops of sorting out by int8: rounding of rows, and products of rounded rows with a filter behind them. Why the
 * filter may be trusted is written in cpu_keys.c. kernels_short.c is compiled once per instruction set, as kernels.c is, and
 * once more for processors that multiply int8 (VNNI).
 *
 * Products of integers are exact, so every compilation finds the same sums. Bounds may differ in their last bits, which the
 * bounds themselves allow for. */
#ifndef CFD_OPS_CPU_KERNELS_SHORT_H
#define CFD_OPS_CPU_KERNELS_SHORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHORT_PANEL 32 /* keys side by side */
#define SHORT_GROUP 4  /* columns of one row side by side */
#define SHORT_TILE 12  /* the most queries side by side */

/* Queries are cut into tiles; how many the next one has where `left` are left. */
#define SHORT_TILE_OF(left) ((left) >= SHORT_TILE ? SHORT_TILE : (left) >= 4 ? 4 : 1)

/* Keys in the short type, long ones first, so that thresholds rise early. A panel's bytes are
 * [groups][SHORT_PANEL][SHORT_GROUP], each its integer + 128; missing columns and keys are 128, which is 0. With them go
 * three floats a key, a panel's together: [3][SHORT_PANEL]. */
typedef struct short_keys {
    int32_t n, groups, panels;
    uint8_t *bytes;
    float *bounds; /* scale; norm of the key; norm of what rounding took from it: the last two rounded up */
    int32_t *ids;  /* of the keys in their places */
} short_keys;

/* What is left of a query's items so far. An item's score lies within x -+ (norm_factor * norm + loss_factor * loss), where
 * x = scale * (sum of products of integers); all in units of the query's own scale. */
typedef struct short_entry {
    float upper;
    int32_t item;
} short_entry;

typedef struct short_query {
    float norm_factor, loss_factor;
    float slack;       /* an absolute error besides, twice */
    double inverse;    /* 1 / the query's scale */
    float threshold;   /* an item whose upper bound is below it is out; -infinity until k items have lower bounds */
    int32_t bias;      /* -128 * the sum of the query's integers: undoes the keys' + 128 */
    int32_t k, n_best; /* best: the k best lower bounds so far, as a heap, the worst on top */
    float *best;
    int32_t capacity, n; /* list: what is not out */
    short_entry *list;
    const int32_t *excluded; /* ascending */
    size_t n_excluded;
    bool given_up; /* too much was left, or the query cannot be rounded: the list is worthless */
} short_query;

/* Sums over a row. */
typedef struct short_sums {
    double squares;           /* of the row's numbers; of what rounding took where rounded */
    float largest;            /* absolute */
    int32_t sum, sum_squares; /* of the integers */
} short_sums;

typedef struct short_kernels {
    const char *name;
    bool fast; /* faster than float32 */
    /* Largest absolute value and sum of squares; the latter is not finite where a number is not. */
    void (*measure)(const float *row, int32_t width, short_sums *sums);
    /* out[c] = row[c] * inverse to the nearest integer, at most 127 in size; adds to sums. What rounding took is
     * row[c] * factor - unit * out[c]. All numbers are finite and times `inverse` no larger than 127.5. */
    void (*round)(const float *row, int32_t width, float inverse, double factor, double unit, int8_t *out, short_sums *sums);
    /* Products of `n` queries with panels [begin, end), filtered into the queries' lists. `rounded` is tile after tile, each
     * [groups][queries of the tile][SHORT_GROUP]; missing columns are 0. */
    void (*sift)(const short_keys *keys, int32_t begin, int32_t end, const int8_t *rounded, short_query *queries, int32_t n);
    /* Takes note of a lower bound of an item's score, in units of the query's scale. */
    void (*note_lower)(short_query *query, float lower);
} short_kernels;

/* The loops that go with a set of kernels.h, by the set's name: those with int8 products where the set and the processor
 * allow. Never NULL for a name that cpu_kernels_find knows. */
const short_kernels *short_kernels_for(const char *set);
/* By their own name; NULL where they do not exist or the processor lacks them. For tests. */
const short_kernels *short_kernels_find(const char *name);

#endif
