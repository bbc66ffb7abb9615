/* SPDX-License-Identifier: Apache-2.0 */
/* The arithmetic that nvcc has built in, by what the host computes. Functions of reduced accuracy are accurate here: what
 * they round to on a device is not simulated. */
#ifndef CUDASIM_MATH_H
#define CUDASIM_MATH_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CUDASIM_REINTERPRET(result, name, type)  \
    static inline result name(type value)        \
    {                                            \
        result bits;                             \
        memcpy(&bits, &value, sizeof bits);      \
        return bits;                             \
    }
CUDASIM_REINTERPRET(int, __float_as_int, float)
CUDASIM_REINTERPRET(unsigned, __float_as_uint, float)
CUDASIM_REINTERPRET(float, __int_as_float, int)
CUDASIM_REINTERPRET(float, __uint_as_float, unsigned)
CUDASIM_REINTERPRET(long long, __double_as_longlong, double)
CUDASIM_REINTERPRET(double, __longlong_as_double, long long)
#undef CUDASIM_REINTERPRET

static inline int __popc(unsigned x) { return __builtin_popcount(x); }
static inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
static inline int __clz(int x) { return x == 0 ? 32 : __builtin_clz((unsigned)x); }
static inline int __clzll(long long x) { return x == 0 ? 64 : __builtin_clzll((unsigned long long)x); }
static inline int __ffs(int x) { return __builtin_ffs(x); }
static inline int __ffsll(long long x) { return __builtin_ffsll(x); }
static inline unsigned __umulhi(unsigned x, unsigned y) { return (unsigned)((uint64_t)x * y >> 32); }

static inline unsigned __brev(unsigned x)
{
    unsigned reversed = 0;
    for (int i = 0; i < 32; i++) {
        reversed |= (x >> i & 1u) << (31 - i);
    }
    return reversed;
}

/* Rounded to nearest and never contracted: a compiler that contracts a * b + c is told not to (-ffp-contract=off). */
static inline float __fadd_rn(float x, float y) { return x + y; }
static inline float __fsub_rn(float x, float y) { return x - y; }
static inline float __fmul_rn(float x, float y) { return x * y; }
static inline float __fdiv_rn(float x, float y) { return x / y; }
static inline float __fsqrt_rn(float x) { return sqrtf(x); }
static inline float __frcp_rn(float x) { return 1.0f / x; }
static inline float __fmaf_rn(float x, float y, float z) { return fmaf(x, y, z); }
static inline double __dadd_rn(double x, double y) { return x + y; }
static inline double __dsub_rn(double x, double y) { return x - y; }
static inline double __dmul_rn(double x, double y) { return x * y; }
static inline double __ddiv_rn(double x, double y) { return x / y; }
static inline double __dsqrt_rn(double x) { return sqrt(x); }
static inline double __fma_rn(double x, double y, double z) { return fma(x, y, z); }
static inline float __fdividef(float x, float y) { return x / y; }
/* The host's C library has functions of these names. */
#define __expf(x) expf(x)
#define __logf(x) logf(x)
static inline float __saturatef(float x) { return x > 0.0f ? x < 1.0f ? x : 1.0f : 0.0f; }
static inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
static inline double rsqrt(double x) { return 1.0 / sqrt(x); }

#define CUDASIM_LEAST(result, first, second)                                                               \
    static inline result min(first x, second y) { return (result)x < (result)y ? (result)x : (result)y; }  \
    static inline result max(first x, second y) { return (result)x > (result)y ? (result)x : (result)y; }
CUDASIM_LEAST(int, int, int)
CUDASIM_LEAST(unsigned, unsigned, unsigned)
CUDASIM_LEAST(unsigned, int, unsigned)
CUDASIM_LEAST(unsigned, unsigned, int)
CUDASIM_LEAST(long, long, long)
CUDASIM_LEAST(unsigned long, unsigned long, unsigned long)
CUDASIM_LEAST(long long, long long, long long)
CUDASIM_LEAST(unsigned long long, unsigned long long, unsigned long long)
#undef CUDASIM_LEAST

static inline float min(float x, float y) { return fminf(x, y); }
static inline float max(float x, float y) { return fmaxf(x, y); }
static inline double min(double x, double y) { return fmin(x, y); }
static inline double max(double x, double y) { return fmax(x, y); }

#endif
