/* SPDX-License-Identifier: Apache-2.0 */
/* IEEE 754 binary16 to binary32, exact for every bit pattern. */
#ifndef CFD_IO_HALF_H
#define CFD_IO_HALF_H

#include <stdint.h>
#include <string.h>

static inline float half_to_float(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000u) << 16;
    uint32_t exponent = half >> 10 & 31u;
    uint32_t fraction = half & 0x3ffu;
    float value;
    if (exponent == 0) {
        value = (float)fraction * (1.0f / 16777216.0f); /* subnormals count in 2^-24; exact in float */
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        bits |= sign;
        memcpy(&value, &bits, sizeof value);
        return value;
    }
    uint32_t wide = exponent == 31 ? 255u : exponent + (127u - 15u);
    uint32_t bits = sign | wide << 23 | fraction << 13;
    memcpy(&value, &bits, sizeof value);
    return value;
}

#endif
