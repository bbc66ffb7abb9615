/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of the inner loops: the compiler's own (gcc's and clang's vector_size). Included only by the sources that are
 * compiled once for each instruction set (kernels*.c); its functions are inlined, so none of them is shared between sets.
 * VECTOR floats fill a register. */
#ifndef CFD_OPS_CPU_KERNELS_VECTOR_H
#define CFD_OPS_CPU_KERNELS_VECTOR_H

#include <stdint.h>

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
/* The same at any address. */
typedef float loose_vec __attribute__((vector_size(4 * VECTOR), aligned(4), may_alias));
typedef float loose_half __attribute__((vector_size(2 * VECTOR), aligned(4), may_alias));

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

#define KERNELS_PASTE(a, b) a##_##b
#define KERNELS_NAME(name, set) KERNELS_PASTE(name, set) /* cpu_scores_avx2, say */
#define KERNELS_QUOTE(a) #a
#define KERNELS_TEXT(set) KERNELS_QUOTE(set)

#endif
