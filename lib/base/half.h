/* SPDX-License-Identifier: Apache-2.0 */
/* The 16-bit floating-point types: IEEE 754 binary16 ("half") and bfloat16, the upper half of a binary32. To float every
 * number is exact; from float it is rounded to nearest, ties to even, beyond the range to infinity. A NaN stays one. What
 * rounds works on integers, so that neither the host's rounding mode nor its treatment of denormals has a say. Compilers
 * can vectorise loops over all four (half_to_float under -fno-trapping-math). */
#ifndef CFD_BASE_HALF_H
#define CFD_BASE_HALF_H

#include "base/device_code.h"

#include <stdint.h>
#include <string.h>

HOST_DEVICE static inline float float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

HOST_DEVICE static inline uint32_t bits_of_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

HOST_DEVICE static inline float half_to_float(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000u) << 16;
    uint32_t exponent = half >> 10 & 31u;
    uint32_t fraction = half & 0x3ffu;
    /* Subnormals count in 2^-24; a float holds them as normal numbers. */
    uint32_t small = bits_of_float((float)(int32_t)fraction * (1.0f / 16777216.0f));
    uint32_t normal = exponent + (127u - 15u) + (exponent == 31u ? 255u - 31u - (127u - 15u) : 0u);
    uint32_t magnitude = exponent == 0u ? small : normal << 23 | fraction << 13;
    return float_of_bits(sign | magnitude);
}

HOST_DEVICE static inline uint16_t float_to_half(float value)
{
    uint32_t bits = bits_of_float(value);
    uint32_t sign = bits >> 16 & 0x8000u;
    uint32_t magnitude = bits & 0x7fffffffu;
    uint32_t half;
    if (magnitude > 0x7f800000u) { /* NaN: quiet, with what fits of its payload */
        half = 0x7e00u | (magnitude >> 13 & 0x3ffu);
    } else if (magnitude >= 0x47800000u) { /* 65536 and more */
        half = 0x7c00u;
    } else if (magnitude >=
               0x38800000u) { /* 2^-14: normal; a carry out of the fraction raises the exponent, up to infinity */
        uint32_t rebased = magnitude - ((127u - 15u) << 23);
        half = (rebased + 0xfffu + (rebased >> 13 & 1u)) >> 13;
    } else {
        /* Multiples of 2^-24: the fraction with its leading 1 counts in 2^(exponent - 150). Below 2^-25 all is 0. */
        uint32_t exponent = magnitude >> 23;
        uint32_t shift = exponent < 101u ? 25u : 126u - exponent;
        uint32_t fraction = exponent < 101u ? 0u : (magnitude & 0x7fffffu) | 0x800000u;
        half = (fraction + (1u << (shift - 1u)) - 1u + (fraction >> shift & 1u)) >> shift;
    }
    return (uint16_t)(sign | half);
}

HOST_DEVICE static inline float bfloat16_to_float(uint16_t upper)
{
    return float_of_bits((uint32_t)upper << 16);
}

HOST_DEVICE static inline uint16_t float_to_bfloat16(float value)
{
    uint32_t bits = bits_of_float(value);
    uint32_t rounded = bits + 0x7fffu +
                       (bits >> 16 & 1u); /* a carry out of the fraction raises the exponent, up to infinity */
    uint32_t quiet = bits | 0x400000u;
    return (uint16_t)(((bits & 0x7fffffffu) > 0x7f800000u ? quiet : rounded) >> 16);
}

#endif
