/* SPDX-License-Identifier: Apache-2.0 */
/* What the two halves of sorting out share: keys (cpu_keys.c, where the bound is derived) and queries (cpu_sort_out.c). */
#ifndef CFD_OPS_CPU_CPU_KEYS_H
#define CFD_OPS_CPU_CPU_KEYS_H

#include "ops/cpu/cpu.h"

#include <math.h>

/* Lengths of rows that are bounded, and what is added to lengths on account of numbers that the processor may read as 0. */
#define LONGEST 0x1p60
#define SHORTEST 0x1p-60
#define TINY 0x1p-100 /* far above sqrt(n) 2^-126, far below any length that matters */

struct ops_keys {
    short_keys keys;
    int32_t width;
    const short_kernels *kernels;
};

/* The smallest float that is certainly not below the value. */
static inline float rounded_up(double value)
{
    return value > 0x1p120 ? INFINITY : (float)(value * (1 + 0x1p-20));
}

#endif
