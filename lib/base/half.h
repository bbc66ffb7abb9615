/* SPDX-License-Identifier: Apache-2.0 */
/* IEEE 754 binary16. */
#ifndef CFD_BASE_HALF_H
#define CFD_BASE_HALF_H

#include <stdint.h>
#include <string.h>

/* The nearest binary16, ties to even; what is too large becomes an infinity. */
static inline uint16_t float_to_half(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint32_t sign = bits >> 16 & 0x8000u;
    uint32_t magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u) {
        return (uint16_t)(sign | 0x7e00u);
    }
    if (magnitude >= 0x477ff000u) { /* halfway between the largest number and the next power of two */
        return (uint16_t)(sign | 0x7c00u);
    }
    uint32_t shift = 13;
    uint32_t fraction = magnitude - (112u << 23);
    if (magnitude < 113u << 23) { /* below the normal numbers: counted in 2^-24 */
        uint32_t exponent = magnitude >> 23;
        shift = exponent < 101 ? 31 : 126 - exponent;
        fraction = exponent < 101 ? 0 : (magnitude & 0x7fffffu) | 0x800000u;
    }
    uint32_t kept = fraction >> shift;
    uint32_t rest = fraction & ((1u << shift) - 1u);
    uint32_t half = 1u << (shift - 1);
    return (uint16_t)(sign | (kept + (rest > half || (rest == half && (kept & 1u)))));
}

#endif
