/* SPDX-License-Identifier: Apache-2.0 */
/* Scores in float32 (SPEC 4), compiled once for each instruction set as kernels.c is, and part of its tables.
 *
 * A score is summed in one order wherever it is computed: of each stretch of the width, LANES chains (the first one is
 * q_0 k_0 + q_LANES k_LANES + ...), which are added to the score one after the other. For blocks, PANEL keys are written
 * side by side, lane by lane, so that a register holds one column of several keys; for pairs, a register holds the LANES
 * chains of one score. */
#include "ops/cpu/kernels.h"
#include "ops/cpu/kernels_vector.h"

typedef float quad __attribute__((vector_size(16)));
typedef float lanes __attribute__((vector_size(32)));
/* The same at any address. */
typedef float loose_quad __attribute__((vector_size(16), aligned(4), may_alias));
typedef float loose_lanes __attribute__((vector_size(32), aligned(4), may_alias));

#define PANEL (2 * VECTOR)
#define STRETCH 320                    /* the most columns at a time: a panel then fits in the nearest cache */
#define LANES 8                        /* divides STRETCH */
#define FEW_QUERIES 2                  /* that do not pay for panels */
#define LANE (STRETCH / LANES * PANEL) /* from lane to lane of a panel */
#if VECTOR == 16
#define TILE 12 /* queries at a time: 24 of 32 registers hold sums */
#else
#define TILE 6
#endif

#if defined(__clang__)
#define SHUFFLE(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else
typedef int32_t quad_index __attribute__((vector_size(16)));
#define SHUFFLE(a, b, i, j, k, l) __builtin_shuffle(a, b, (quad_index){i, j, k, l})
#endif

/* How long the stretches of a width are: equal but for the last, and full lanes. */
INLINE int32_t stretch_of(int32_t width)
{
    int32_t count = width / STRETCH + (width % STRETCH != 0);
    return count < 2 ? STRETCH : (width / count + (width % count != 0) + LANES - 1) / LANES * LANES;
}

/* Where a column stands in a panel. */
INLINE int32_t panel_at(int32_t c)
{
    return c % LANES * LANE + c / LANES * PANEL;
}

/* Four columns, in neighbouring lanes, of four keys. */
INLINE void transpose_four(const float *keys, int64_t ld, float *panel)
{
    quad a = *(const loose_quad *)keys;
    quad b = *(const loose_quad *)(keys + ld);
    quad c = *(const loose_quad *)(keys + 2 * ld);
    quad d = *(const loose_quad *)(keys + 3 * ld);
    quad ab_low = SHUFFLE(a, b, 0, 4, 1, 5);
    quad ab_high = SHUFFLE(a, b, 2, 6, 3, 7);
    quad cd_low = SHUFFLE(c, d, 0, 4, 1, 5);
    quad cd_high = SHUFFLE(c, d, 2, 6, 3, 7);
    *(loose_quad *)panel = SHUFFLE(ab_low, cd_low, 0, 1, 4, 5);
    *(loose_quad *)(panel + LANE) = SHUFFLE(ab_low, cd_low, 2, 3, 6, 7);
    *(loose_quad *)(panel + 2 * LANE) = SHUFFLE(ab_high, cd_high, 0, 1, 4, 5);
    *(loose_quad *)(panel + 3 * LANE) = SHUFFLE(ab_high, cd_high, 2, 3, 6, 7);
}

/* Columns [0, depth) of n keys, n at most PANEL; the panel's other keys are zero. */
static void pack_panel(const float *keys, int64_t n, int64_t width, int32_t depth, float *restrict panel)
{
    int32_t key = 0;
    for (; n - key >= 4; key += 4) {
        const float *from = keys + key * width;
        int32_t c = 0;
        for (float *to = panel + key; depth - c >= LANES; c += LANES, to += PANEL) {
            transpose_four(from + c, width, to);
            transpose_four(from + c + 4, width, to + 4 * LANE);
        }
        for (; c < depth; c++) {
            for (int32_t i = 0; i < 4; i++) {
                panel[panel_at(c) + key + i] = from[i * width + c];
            }
        }
    }
    for (; key < PANEL; key++) {
        for (int32_t c = 0; c < depth; c++) {
            panel[panel_at(c) + key] = key < n ? keys[key * width + c] : 0.0f;
        }
    }
}

/* Goes on with the scores of `count` queries and a panel's keys, which stand in `out` unless they begin here. Between the
 * lanes they stand side by side, where they are always near. */
#define DEFINE_TILE(count)                                                                                       \
    INLINE void tile_##count(const float *queries, int64_t width, const float *panel, int32_t depth, float *out, \
                             int64_t ld, int goes_on)                                                            \
    {                                                                                                            \
        float sums[(count)*PANEL] __attribute__((aligned(64)));                                                  \
        vec none = -(vec){0}; /* -0: adding it leaves every number's bits */                                     \
        for (int i = 0; i < (count); i++) {                                                                      \
            store(sums + i * PANEL, goes_on ? load(out + i * ld) : none);                                        \
            store(sums + i * PANEL + VECTOR, goes_on ? load(out + i * ld + VECTOR) : none);                      \
        }                                                                                                        \
        for (int32_t lane = 0; lane < LANES; lane++) {                                                           \
            vec low[count] = {{0}};                                                                              \
            vec high[count] = {{0}};                                                                             \
            const float *keys = panel + lane * LANE;                                                             \
            _Pragma("GCC unroll 4") for (int32_t c = lane; c < depth; c += LANES, keys += PANEL)                 \
            {                                                                                                    \
                vec keys_low = load(keys);                                                                       \
                vec keys_high = load(keys + VECTOR);                                                             \
                for (int i = 0; i < (count); i++) {                                                              \
                    vec query = queries[i * width + c] - (vec){0};                                               \
                    low[i] += query * keys_low;                                                                  \
                    high[i] += query * keys_high;                                                                \
                }                                                                                                \
            }                                                                                                    \
            for (int i = 0; i < (count); i++) {                                                                  \
                float *to = sums + i * PANEL;                                                                    \
                store(to, load(to) + low[i]);                                                                    \
                store(to + VECTOR, load(to + VECTOR) + high[i]);                                                 \
            }                                                                                                    \
        }                                                                                                        \
        for (int i = 0; i < (count); i++) {                                                                      \
            store(out + i * ld, load(sums + i * PANEL));                                                         \
            store(out + i * ld + VECTOR, load(sums + i * PANEL + VECTOR));                                       \
        }                                                                                                        \
    }

DEFINE_TILE(1)
DEFINE_TILE(3)
#if VECTOR == 16
DEFINE_TILE(12)
#define TILE_FULL tile_12
#else
DEFINE_TILE(6)
#define TILE_FULL tile_6
#endif

/* Keys that are packed next. They are fetched while the present panel is multiplied, some after each tile. */
typedef struct keys_ahead {
    const float *keys;
    int64_t n, width;
    int32_t depth;
} keys_ahead;

INLINE void fetch(const keys_ahead *ahead, int64_t begin, int64_t end)
{
    for (int64_t i = begin; i < end && i < ahead->n; i++) {
        for (int32_t c = 0; c < ahead->depth; c += 16) { /* a line of the cache */
            __builtin_prefetch(ahead->keys + i * ahead->width + c, 0, 2);
        }
    }
}

/* One panel and all queries, where all of the panel's keys exist. */
static void score_panel(const float *queries, int64_t n_queries, int64_t width, const float *panel, int32_t depth,
                        float *out, int64_t ld, int goes_on, const keys_ahead *ahead)
{
    int64_t u = 0;
    int64_t share = PANEL * TILE / n_queries + 1;
    for (; n_queries - u >= TILE; u += TILE) {
        TILE_FULL(queries + u * width, width, panel, depth, out + u * ld, ld, goes_on);
        fetch(ahead, u / TILE * share, (u / TILE + 1) * share);
    }
    for (; n_queries - u >= 3; u += 3) {
        tile_3(queries + u * width, width, panel, depth, out + u * ld, ld, goes_on);
    }
    for (; u < n_queries; u++) {
        tile_1(queries + u * width, width, panel, depth, out + u * ld, ld, goes_on);
    }
}

/* The last panel, where only n keys exist: its tiles are computed aside. */
static void score_last_panel(const float *queries, int64_t n_queries, int64_t width, const float *panel, int32_t depth,
                             int64_t n, float *out, int64_t ld, int goes_on)
{
    float aside[TILE * PANEL] = {0};
    for (int64_t u = 0; u < n_queries; u += TILE) {
        int64_t count = n_queries - u < TILE ? n_queries - u : TILE;
        for (int64_t i = 0; goes_on && i < count; i++) {
            for (int64_t key = 0; key < n; key++) {
                aside[i * PANEL + key] = out[(u + i) * ld + key];
            }
        }
        score_panel(queries + u * width, count, width, panel, depth, aside, PANEL, goes_on, &(keys_ahead){NULL, 0, 0, 0});
        for (int64_t i = 0; i < count; i++) {
            for (int64_t key = 0; key < n; key++) {
                out[(u + i) * ld + key] = aside[i * PANEL + key];
            }
        }
    }
}

/* The scores of one row with `count` others, summed as the tiles do it. */
#define DEFINE_PAIRS(count)                                                                             \
    INLINE void pairs_##count(const float *row, const float *const *others, int32_t width, float *out)  \
    {                                                                                                   \
        int32_t stretch = stretch_of(width);                                                            \
        int32_t c = 0;                                                                                  \
        do {                                                                                            \
            int32_t begin = c;                                                                          \
            int32_t end = width - begin < stretch ? width : begin + stretch;                            \
            lanes sums[count] = {{0}};                                                                  \
            for (; end - c >= LANES; c += LANES) {                                                      \
                for (int i = 0; i < (count); i++) {                                                     \
                    sums[i] += *(const loose_lanes *)(row + c) * *(const loose_lanes *)(others[i] + c); \
                }                                                                                       \
            }                                                                                           \
            for (int lane = 0; lane < LANES - 1; lane++) {                                              \
                for (int i = 0; i < (count) && lane < end - c; i++) {                                   \
                    sums[i][lane] += row[c + lane] * others[i][c + lane];                               \
                }                                                                                       \
            }                                                                                           \
            for (int i = 0; i < (count); i++) {                                                         \
                float sum = begin > 0 ? out[i] + sums[i][0] : sums[i][0];                               \
                for (int lane = 1; lane < LANES; lane++) {                                              \
                    sum += sums[i][lane];                                                               \
                }                                                                                       \
                out[i] = sum;                                                                           \
            }                                                                                           \
            c = end;                                                                                    \
        } while (c < width);                                                                            \
    }

DEFINE_PAIRS(1)
DEFINE_PAIRS(4)

/* One row with consecutive others, which then need no panel. */
static void score_row(const float *row, const float *rows, int64_t n, int32_t width, float *out)
{
    int64_t i = 0;
    for (; n - i >= 4; i += 4) {
        const float *from = rows + i * width;
        pairs_4(row, (const float *[]){from, from + width, from + 2 * (int64_t)width, from + 3 * (int64_t)width}, width,
                out + i);
    }
    for (; i < n; i++) {
        pairs_1(row, (const float *[]){rows + i * width}, width, out + i);
    }
}

void KERNELS_NAME(cpu_scores, KERNELS_SET)(const float *queries, int64_t n_queries, const float *keys, int64_t n_keys,
                                           int32_t width, float *out, int64_t ld)
{
    if (n_queries <= FEW_QUERIES) {
        for (int64_t u = 0; u < n_queries; u++) {
            score_row(queries + u * width, keys, n_keys, width, out + u * ld);
        }
        return;
    }
    float panel[STRETCH * PANEL] __attribute__((aligned(64)));
    int32_t stretch = stretch_of(width);
    for (int64_t key = 0; key < n_keys; key += PANEL) {
        int64_t n = n_keys - key < PANEL ? n_keys - key : PANEL;
        int32_t c = 0;
        do { /* once even where there is no width: such scores are 0 */
            int32_t depth = width - c < stretch ? width - c : stretch;
            pack_panel(keys + key * width + c, n, width, depth, panel);
            if (n == PANEL) {
                keys_ahead ahead = {keys + key * width + c + depth, n, width, width - c - depth};
                if (ahead.depth == 0) { /* of the next panel */
                    int64_t left = n_keys - key - PANEL;
                    ahead = (keys_ahead){keys + (key + PANEL) * width, left < PANEL ? left : PANEL, width,
                                         width < stretch ? width : stretch};
                }
                score_panel(queries + c, n_queries, width, panel, depth, out + key, ld, c > 0, &ahead);
            } else {
                score_last_panel(queries + c, n_queries, width, panel, depth, n, out + key, ld, c > 0);
            }
            c += depth;
        } while (c < width);
    }
}

void KERNELS_NAME(cpu_pair_scores, KERNELS_SET)(const float *row, const float *rows, const int32_t *ids, int64_t n,
                                                int32_t width, float *out)
{
    int64_t i = 0;
    for (; n - i >= 4; i += 4) {
        pairs_4(row,
                (const float *[]){rows + (int64_t)ids[i] * width, rows + (int64_t)ids[i + 1] * width,
                                  rows + (int64_t)ids[i + 2] * width, rows + (int64_t)ids[i + 3] * width},
                width, out + i);
    }
    for (; i < n; i++) {
        pairs_1(row, (const float *[]){rows + (int64_t)ids[i] * width}, width, out + i);
    }
}
