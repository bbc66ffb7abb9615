/* SPDX-License-Identifier: Apache-2.0 */
/* Short floating-point types of the simulated cuBLAS: float16, bfloat16 and TF32, to the nearest. */
#ifndef CUDASIM_CUBLAS_NUMBERS_H
#define CUDASIM_CUBLAS_NUMBERS_H

#include <math.h>
#include <stdint.h>
#include <string.h>

namespace cudasim {

static inline uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline float bfloat16_value(uint16_t x)
{
    return float_of((uint32_t)x << 16);
}

static inline uint16_t bfloat16_of(float x)
{
    uint32_t bits = bits_of(x);
    if (isnan(x)) {
        return (uint16_t)(bits >> 16 | 0x40);
    }
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static inline float float16_value(uint16_t x)
{
    uint32_t sign = (uint32_t)(x & 0x8000) << 16, exponent = x >> 10 & 31, mantissa = x & 0x3ff;
    if (exponent == 0) {
        return copysignf((float)mantissa * 0x1p-24f, float_of(sign));
    }
    uint32_t shifted = exponent == 31 ? 255 : exponent + 112;
    return float_of(sign | shifted << 23 | mantissa << 13);
}

static inline uint16_t float16_of(float x)
{
    uint32_t bits = bits_of(x), size = bits & 0x7fffffff, sign = bits >> 16 & 0x8000;
    if (size > 0x7f800000) {
        return (uint16_t)(sign | 0x7e00);
    }
    if (size >= bits_of(65520.0f)) {
        return (uint16_t)(sign | 0x7c00);
    }
    if (size < bits_of(0x1p-14f)) { /* a multiple of 2^-24 */
        return (uint16_t)(sign | (uint32_t)rintf(float_of(size) * 0x1p24f));
    }
    size += 0xfff + (size >> 13 & 1);
    return (uint16_t)(sign | ((size >> 13) - (112 << 10)));
}

/* 10 bits behind the point, ties away from zero. */
static inline float tf32_of(float x)
{
    uint32_t bits = bits_of(x);
    return isfinite(x) ? float_of((bits + 0x1000) & ~0x1fffu) : x;
}

} /* namespace cudasim */

#endif
