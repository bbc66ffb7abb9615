/* SPDX-License-Identifier: Apache-2.0 */
/* The inner loops, compiled once for each instruction set: KERNELS_SET names the set, the compiler's flags choose its
 * instructions. Nothing here is visible but the table at the end: code with these flags must not run on other processors,
 * so it includes no header with functions in it and shares none.
 *
 * Vectors are the compiler's own (gcc's and clang's vector_size); VECTOR floats fill a register. */
#include "ops/cpu/kernels.h"
#include "ops/cpu/kernels_vector.h"

#include <math.h>

/* Past the caches; `to` is aligned. */
INLINE void stream(float *to, vec value)
{
#if defined(__clang__)
    __builtin_nontemporal_store(value, (vec *)(void *)to);
#elif defined(__AVX512F__)
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

#define AHEAD 24 /* entries */

/* One group of `count` vectors of columns, from column c on: read each entry's row once, write the sum once. */
#define DEFINE_GATHER(count)                                                                                    \
    INLINE void gather_##count(const gather_job *job, int64_t begin, int64_t end, int32_t c, float *restrict y) \
    {                                                                                                           \
        const int32_t *restrict indices = job->indices;                                                         \
        const int32_t *restrict slots = job->slots;                                                             \
        const float *restrict values = job->values;                                                             \
        const float *x = job->x + c;                                                                            \
        int64_t fetched = job->entries - AHEAD;                                                                 \
        int64_t ldx = job->ldx;                                                                                 \
        vec sums[count];                                                                                        \
        for (int i = 0; i < (count); i++) {                                                                     \
            sums[i] = (vec){0};                                                                                 \
        }                                                                                                       \
        for (int64_t p = begin; p < end; p++) {                                                                 \
            int64_t row = indices[p];                                                                           \
            if (p < fetched) {                                                                                  \
                const float *later = x + indices[p + AHEAD] * ldx;                                              \
                for (int i = 0; i < (count)*VECTOR; i += 16) {                                                  \
                    __builtin_prefetch(later + i, 0, 2);                                                        \
                }                                                                                               \
            }                                                                                                   \
            if (slots) {                                                                                        \
                row = slots[row];                                                                               \
                if (row < 0) {                                                                                  \
                    continue;                                                                                   \
                }                                                                                               \
            }                                                                                                   \
            const float *from = x + row * ldx;                                                                  \
            vec value = values[p] - (vec){0};                                                                   \
            for (int i = 0; i < (count); i++) {                                                                 \
                sums[i] += value * load(from + i * VECTOR);                                                     \
            }                                                                                                   \
        }                                                                                                       \
        if (job->stream) {                                                                                      \
            for (int i = 0; i < (count); i++) {                                                                 \
                stream(y + c + i * VECTOR, sums[i]);                                                            \
            }                                                                                                   \
            return;                                                                                             \
        }                                                                                                       \
        for (int i = 0; i < (count); i++) {                                                                     \
            store(y + c + i * VECTOR, sums[i]);                                                                 \
        }                                                                                                       \
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

static void multiply(const double *restrict a, const double *restrict b, double *restrict c, int32_t m, int32_t n, int32_t k)
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

#define PASTE(a, b) a##b
#define TABLE_OF(set) PASTE(cpu_kernels_, set)
#define TEXT(a) #a
#define TEXT_OF(a) TEXT(a)

const cpu_kernels TABLE_OF(KERNELS_SET);
const cpu_kernels TABLE_OF(KERNELS_SET) = {
    .name = TEXT_OF(KERNELS_SET),
    .gather = gather,
    .settle = settle,
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
    .scores = KERNELS_NAME(cpu_scores, KERNELS_SET),
    .pair_scores = KERNELS_NAME(cpu_pair_scores, KERNELS_SET),
};
