/* SPDX-License-Identifier: Apache-2.0 */
/* The inner loops, compiled once for each instruction set: KERNELS_SET names the set, the compiler's flags choose its
 * instructions. Nothing here is visible but the table at the end: code with these flags must not run on other processors,
 * so it includes no header with functions in it and shares none.
 *
 * Vectors are the compiler's own (gcc's and clang's vector_size); VECTOR floats fill a register. */
#include "ops/cpu/kernels.h"

#include <math.h>

#if defined(__AVX512F__)
#define VECTOR 16
#elif defined(__AVX2__)
#define VECTOR 8
#else
#define VECTOR 4
#endif

#define INLINE static inline __attribute__((always_inline))

typedef float vec __attribute__((vector_size(4 * VECTOR)));
typedef double wide __attribute__((vector_size(4 * VECTOR))); /* VECTOR / 2 doubles */
typedef float half __attribute__((vector_size(2 * VECTOR)));  /* VECTOR / 2 floats */
typedef float quad __attribute__((vector_size(16)));
typedef float lanes __attribute__((vector_size(32)));
/* The same at any address. */
typedef float loose_vec __attribute__((vector_size(4 * VECTOR), aligned(4), may_alias));
typedef float loose_half __attribute__((vector_size(2 * VECTOR), aligned(4), may_alias));
typedef float loose_quad __attribute__((vector_size(16), aligned(4), may_alias));
typedef float loose_lanes __attribute__((vector_size(32), aligned(4), may_alias));

#define WIDE (VECTOR / 2)

INLINE vec load(const float *from)
{
    return *(const loose_vec *)from;
}

INLINE void store(float *to, vec value)
{
    *(loose_vec *)to = value;
}

INLINE wide load_wide(const float *from)
{
    half narrow = *(const loose_half *)from;
    return __builtin_convertvector(narrow, wide);
}

/* Past the caches; `to` is aligned. */
INLINE void stream(float *to, vec value)
{
#if defined(__AVX512F__)
    __builtin_ia32_movntps512(to, value);
#elif defined(__AVX2__)
    __builtin_ia32_movntps256(to, value);
#elif defined(__SSE__)
    __builtin_ia32_movntps(to, value);
#else
    store(to, value);
#endif
}

static void settle(void)
{
#if defined(__SSE__)
    __builtin_ia32_sfence();
#endif
}

/* The sum of a vector's elements, by halves. */
INLINE float sum_vec(vec value)
{
    float part[VECTOR];
    store(part, value);
    for (int width = VECTOR / 2; width > 0; width /= 2) {
        for (int i = 0; i < width; i++) {
            part[i] += part[i + width];
        }
    }
    return part[0];
}

INLINE double sum_wide(wide value)
{
    double sum = 0;
    for (int i = 0; i < WIDE; i++) {
        sum += value[i];
    }
    return sum;
}

/* ---- sums of rows: products with sparse matrices ---- */

/* One group of `count` vectors of columns, from column c on: read each entry's row once, write the sum once. */
#define DEFINE_GATHER(count)                                                                                  \
    INLINE void gather_##count(const gather_job *job, int64_t begin, int64_t end, int32_t c, float *restrict y) \
    {                                                                                                         \
        const int32_t *restrict indices = job->indices;                                                       \
        const int32_t *restrict slots = job->slots;                                                           \
        const float *restrict values = job->values;                                                           \
        const float *x = job->x + c;                                                                          \
        int64_t ldx = job->ldx;                                                                               \
        vec sums[count];                                                                                      \
        for (int i = 0; i < (count); i++) {                                                                   \
            sums[i] = (vec){0};                                                                               \
        }                                                                                                     \
        for (int64_t p = begin; p < end; p++) {                                                               \
            int64_t row = indices[p];                                                                         \
            if (slots) {                                                                                      \
                row = slots[row];                                                                             \
                if (row < 0) {                                                                                \
                    continue;                                                                                 \
                }                                                                                             \
            }                                                                                                 \
            const float *from = x + row * ldx;                                                                \
            vec value = values[p] - (vec){0};                                                                 \
            for (int i = 0; i < (count); i++) {                                                               \
                sums[i] += value * load(from + i * VECTOR);                                                   \
            }                                                                                                 \
        }                                                                                                     \
        if (job->stream) {                                                                                    \
            for (int i = 0; i < (count); i++) {                                                               \
                stream(y + c + i * VECTOR, sums[i]);                                                          \
            }                                                                                                 \
            return;                                                                                           \
        }                                                                                                     \
        for (int i = 0; i < (count); i++) {                                                                   \
            store(y + c + i * VECTOR, sums[i]);                                                               \
        }                                                                                                     \
    }

DEFINE_GATHER(1)
DEFINE_GATHER(2)
DEFINE_GATHER(4)
DEFINE_GATHER(8)
#if VECTOR == 16 /* 32 registers */
DEFINE_GATHER(16)
#endif

/* Fewer columns than a vector has. */
static void gather_rest(const gather_job *job, int64_t begin, int64_t end, int32_t c, float *restrict y)
{
    int32_t width = job->columns - c;
    float sums[VECTOR] = {0};
    for (int64_t p = begin; p < end; p++) {
        int64_t row = job->slots ? job->slots[job->indices[p]] : job->indices[p];
        if (row < 0) {
            continue;
        }
        const float *from = job->x + row * job->ldx + c;
        float value = job->values[p];
        for (int32_t i = 0; i < width; i++) {
            sums[i] += value * from[i];
        }
    }
    for (int32_t i = 0; i < width; i++) {
        y[c + i] = sums[i];
    }
}

static void gather(const gather_job *job, int64_t begin, int64_t end, float *y)
{
    int32_t columns = job->columns;
    int32_t c = 0;
#if VECTOR == 16
    for (; columns - c >= 16 * VECTOR; c += 16 * VECTOR) {
        gather_16(job, begin, end, c, y);
    }
#endif
    for (; columns - c >= 8 * VECTOR; c += 8 * VECTOR) {
        gather_8(job, begin, end, c, y);
    }
    for (; columns - c >= 4 * VECTOR; c += 4 * VECTOR) {
        gather_4(job, begin, end, c, y);
    }
    for (; columns - c >= 2 * VECTOR; c += 2 * VECTOR) {
        gather_2(job, begin, end, c, y);
    }
    for (; columns - c >= VECTOR; c += VECTOR) {
        gather_1(job, begin, end, c, y);
    }
    if (c < columns) {
        gather_rest(job, begin, end, c, y);
    }
}

/* ---- rows ---- */

static void add(const float *restrict x, float *restrict y, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        y[i] += x[i];
    }
}

static void scale(const float *restrict x, float factor, float *restrict y, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        y[i] = factor * x[i];
    }
}

static float dot_difference(const float *u, const float *x, const float *y, int32_t n)
{
    vec sums[4] = {{0}};
    int32_t i = 0;
    for (; n - i >= 4 * VECTOR; i += 4 * VECTOR) {
        for (int k = 0; k < 4; k++) {
            int32_t at = i + k * VECTOR;
            sums[k] += load(u + at) * (load(x + at) - load(y + at));
        }
    }
    for (; n - i >= VECTOR; i += VECTOR) {
        sums[0] += load(u + i) * (load(x + i) - load(y + i));
    }
    float sum = sum_vec((sums[0] + sums[1]) + (sums[2] + sums[3]));
    for (; i < n; i++) {
        sum += u[i] * (x[i] - y[i]);
    }
    return sum;
}

static pair_sums pair(const float *x, const float *y, int32_t n)
{
    wide xx = {0};
    wide yy = {0};
    wide xy = {0};
    int32_t i = 0;
    for (; n - i >= WIDE; i += WIDE) {
        wide left = load_wide(x + i);
        wide right = load_wide(y + i);
        xx += left * left;
        yy += right * right;
        xy += left * right;
    }
    pair_sums sums = {sum_wide(xx), sum_wide(yy), sum_wide(xy)};
    for (; i < n; i++) {
        sums.xx += (double)x[i] * x[i];
        sums.yy += (double)y[i] * y[i];
        sums.xy += (double)x[i] * y[i];
    }
    return sums;
}

static void add_pair(float *restrict g, double a, const float *restrict x, double b, const float *restrict y, int32_t n)
{
    for (int32_t i = 0; i < n; i++) {
        g[i] = (float)(g[i] + a * x[i] + b * y[i]);
    }
}

static double add_scaled(float *restrict g, float a, const float *restrict x, int32_t n)
{
    wide squares = {0};
    int32_t i = 0;
    for (; n - i >= WIDE; i += WIDE) {
        wide value = load_wide(x + i);
        squares += value * value;
    }
    double sum = sum_wide(squares);
    for (; i < n; i++) {
        sum += (double)x[i] * x[i];
    }
    for (i = 0; i < n; i++) {
        g[i] += a * x[i];
    }
    return sum;
}

/* ---- the update ---- */

static void adam(const adam_factors *factors, float *restrict parameter, const float *restrict gradient,
                 float *restrict moment1, float *restrict moment2, size_t n)
{
    adam_factors f = *factors;
    for (size_t i = 0; i < n; i++) {
        float g = gradient[i];
        float m = f.beta1 * moment1[i] + f.rest1 * g;
        float v = f.beta2 * moment2[i] + f.rest2 * (g * g);
        moment1[i] = m;
        moment2[i] = v;
        parameter[i] -= f.rate * m / (sqrtf(v) + f.epsilon);
    }
}

/* ---- short types ---- */

typedef union word {
    float number;
    uint32_t bits;
} word;

INLINE uint32_t rounded(float x)
{
    uint32_t bits = ((word){.number = x}).bits;
    return (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
}

static void split(const float *restrict x, uint16_t *restrict high, uint16_t *restrict low, size_t n)
{
    if (!low) {
        for (size_t i = 0; i < n; i++) {
            high[i] = (uint16_t)rounded(x[i]);
        }
        return;
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t upper = rounded(x[i]);
        high[i] = (uint16_t)upper;
        low[i] = (uint16_t)rounded(x[i] - ((word){.bits = upper << 16}).number);
    }
}

static void widen_half(const uint16_t *restrict x, float *restrict y, size_t n)
{
    const float smallest = 0x1p-14f; /* normal number of binary16 */
    for (size_t i = 0; i < n; i++) {
        uint32_t magnitude = (uint32_t)(x[i] & 0x7fffu) << 13;
        uint32_t sign = (uint32_t)(x[i] & 0x8000u) << 16;
        /* A subnormal counts in units of the smallest normal number's last place: without ever being one here. */
        float subnormal = ((word){.bits = magnitude + (113u << 23)}).number - smallest;
        float normal = ((word){.bits = magnitude + (112u << 23)}).number;
        float value = magnitude < 1u << 23 ? subnormal : normal;
        y[i] = ((word){.bits = ((word){.number = value}).bits | sign}).number;
    }
}

static void widen_bfloat16(const uint16_t *restrict x, float *restrict y, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        y[i] = ((word){.bits = (uint32_t)x[i] << 16}).number;
    }
}

/* ---- small dense algebra in double ---- */

static void sum_parts(const float *restrict from, size_t stride, size_t parts, double factor, float *restrict out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        for (size_t k = 0; k < parts; k++) {
            sum += from[k * stride + i];
        }
        out[i] = (float)(factor * sum);
    }
}

static void multiply(const double *restrict a, const double *restrict b, double *restrict c, int32_t m, int32_t n,
                     int32_t k)
{
    for (int64_t i = 0; i < m; i++) {
        double *restrict row = c + i * n;
        for (int64_t j = 0; j < n; j++) {
            row[j] = 0;
        }
        for (int64_t p = 0; p < k; p++) {
            double factor = a[i * k + p];
            const double *restrict from = b + p * n;
            for (int64_t j = 0; j < n; j++) {
                row[j] += factor * from[j];
            }
        }
    }
}

/* ---- scores ----
 *
 * A score is summed in one order wherever it is computed: of each stretch of the width, LANES chains (the first one is
 * q_0 k_0 + q_LANES k_LANES + ...), which are added to the score one after the other. For blocks, PANEL keys are written
 * side by side, lane by lane, so that a register holds one column of several keys; for pairs, a register holds the LANES
 * chains of one score. */

#define PANEL (2 * VECTOR)
#define STRETCH 320 /* the most columns at a time: a panel then fits in the nearest cache */
#define LANES 8 /* divides STRETCH */
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
        for (; depth - c >= 4; c += 4) {
            transpose_four(from + c, width, panel + panel_at(c) + key);
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

/* Goes on with the scores of `count` queries and a panel's keys, which stand in `out` unless they begin here. */
#define DEFINE_TILE(count)                                                                                       \
    INLINE void tile_##count(const float *queries, int64_t width, const float *panel, int32_t depth, float *out, \
                             int64_t ld, int goes_on)                                                            \
    {                                                                                                            \
        for (int32_t lane = 0; lane < LANES; lane++) {                                                           \
            vec low[count] = {{0}};                                                                              \
            vec high[count] = {{0}};                                                                             \
            const float *keys = panel + lane * LANE;                                                             \
            _Pragma("GCC unroll 4")                                                                              \
            for (int32_t c = lane; c < depth; c += LANES, keys += PANEL) {                                       \
                vec keys_low = load(keys);                                                                       \
                vec keys_high = load(keys + VECTOR);                                                             \
                for (int i = 0; i < (count); i++) {                                                              \
                    vec query = queries[i * width + c] - (vec){0};                                               \
                    low[i] += query * keys_low;                                                                  \
                    high[i] += query * keys_high;                                                                \
                }                                                                                                \
            }                                                                                                    \
            for (int i = 0; i < (count); i++) {                                                                  \
                float *to = out + i * ld;                                                                        \
                store(to, goes_on || lane > 0 ? load(to) + low[i] : low[i]);                                     \
                store(to + VECTOR, goes_on || lane > 0 ? load(to + VECTOR) + high[i] : high[i]);                 \
            }                                                                                                    \
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

/* One panel and all queries, where all of the panel's keys exist. */
static void score_panel(const float *queries, int64_t n_queries, int64_t width, const float *panel, int32_t depth,
                        float *out, int64_t ld, int goes_on)
{
    int64_t u = 0;
    for (; n_queries - u >= TILE; u += TILE) {
        TILE_FULL(queries + u * width, width, panel, depth, out + u * ld, ld, goes_on);
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
        score_panel(queries + u * width, count, width, panel, depth, aside, PANEL, goes_on);
        for (int64_t i = 0; i < count; i++) {
            for (int64_t key = 0; key < n; key++) {
                out[(u + i) * ld + key] = aside[i * PANEL + key];
            }
        }
    }
}

static void scores(const float *queries, int64_t n_queries, const float *keys, int64_t n_keys, int32_t width, float *out,
                   int64_t ld)
{
    float panel[STRETCH * PANEL] __attribute__((aligned(64)));
    int32_t stretch = stretch_of(width);
    for (int64_t key = 0; key < n_keys; key += PANEL) {
        int64_t n = n_keys - key < PANEL ? n_keys - key : PANEL;
        int32_t c = 0;
        do { /* once even where there is no width: such scores are 0 */
            int32_t depth = width - c < stretch ? width - c : stretch;
            pack_panel(keys + key * width + c, n, width, depth, panel);
            if (n == PANEL) {
                score_panel(queries + c, n_queries, width, panel, depth, out + key, ld, c > 0);
            } else {
                score_last_panel(queries + c, n_queries, width, panel, depth, n, out + key, ld, c > 0);
            }
            c += depth;
        } while (c < width);
    }
}

/* The scores of one row with `count` others, summed as the tiles do it. */
#define DEFINE_PAIRS(count)                                                                                      \
    INLINE void pairs_##count(const float *row, const float *rows, const int32_t *ids, int32_t width, float *out)\
    {                                                                                                            \
        const float *others[count];                                                                              \
        for (int i = 0; i < (count); i++) {                                                                      \
            others[i] = rows + (int64_t)ids[i] * width;                                                          \
        }                                                                                                        \
        int32_t stretch = stretch_of(width);                                                                     \
        int32_t c = 0;                                                                                           \
        do {                                                                                                     \
            int32_t begin = c;                                                                                   \
            int32_t end = width - begin < stretch ? width : begin + stretch;                                     \
            lanes sums[count] = {{0}};                                                                           \
            for (; end - c >= LANES; c += LANES) {                                                               \
                for (int i = 0; i < (count); i++) {                                                              \
                    sums[i] += *(const loose_lanes *)(row + c) * *(const loose_lanes *)(others[i] + c);          \
                }                                                                                                \
            }                                                                                                    \
            for (int lane = 0; lane < LANES - 1; lane++) {                                                       \
                for (int i = 0; i < (count) && lane < end - c; i++) {                                            \
                    sums[i][lane] += row[c + lane] * others[i][c + lane];                                        \
                }                                                                                                \
            }                                                                                                    \
            for (int i = 0; i < (count); i++) {                                                                  \
                float sum = begin > 0 ? out[i] + sums[i][0] : sums[i][0];                                        \
                for (int lane = 1; lane < LANES; lane++) {                                                       \
                    sum += sums[i][lane];                                                                        \
                }                                                                                                \
                out[i] = sum;                                                                                    \
            }                                                                                                    \
            c = end;                                                                                             \
        } while (c < width);                                                                                     \
    }

DEFINE_PAIRS(1)
DEFINE_PAIRS(4)

static void pair_scores(const float *row, const float *rows, const int32_t *ids, int64_t n, int32_t width, float *out)
{
    int64_t i = 0;
    for (; n - i >= 4; i += 4) {
        pairs_4(row, rows, ids + i, width, out + i);
    }
    for (; i < n; i++) {
        pairs_1(row, rows, ids + i, width, out + i);
    }
}

#define PASTE(a, b) a##b
#define TABLE_OF(set) PASTE(cpu_kernels_, set)
#define TEXT(a) #a
#define TEXT_OF(a) TEXT(a)

const cpu_kernels TABLE_OF(KERNELS_SET);
const cpu_kernels TABLE_OF(KERNELS_SET) = {
    .name = TEXT_OF(KERNELS_SET),
    .gather = gather,
    .settle = settle,
    .add = add,
    .scale = scale,
    .dot_difference = dot_difference,
    .pair = pair,
    .add_pair = add_pair,
    .add_scaled = add_scaled,
    .adam = adam,
    .split = split,
    .widen_half = widen_half,
    .widen_bfloat16 = widen_bfloat16,
    .sum_parts = sum_parts,
    .multiply = multiply,
    .scores = scores,
    .pair_scores = pair_scores,
};
