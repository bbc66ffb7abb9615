/* SPDX-License-Identifier: Apache-2.0 */
/* Which compilation of kernels.c runs. Compiled for the baseline: it runs before anything is known of the processor. */
#include "ops/cpu/kernels.h"

#include <stdbool.h>
#include <string.h>

#ifdef CFD_KERNELS_X86
static bool has_avx2(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}
#endif

const cpu_kernels *cpu_kernels_choose(void)
{
#ifdef CFD_KERNELS_X86
    if (has_avx512()) {
        return &cpu_kernels_avx512;
    }
    if (has_avx2()) {
        return &cpu_kernels_avx2;
    }
#endif
    return &cpu_kernels_baseline;
}

const cpu_kernels *cpu_kernels_find(const char *name)
{
#ifdef CFD_KERNELS_X86
    if (strcmp(name, cpu_kernels_avx512.name) == 0) {
        return has_avx512() ? &cpu_kernels_avx512 : NULL;
    }
    if (strcmp(name, cpu_kernels_avx2.name) == 0) {
        return has_avx2() ? &cpu_kernels_avx2 : NULL;
    }
#endif
    return strcmp(name, cpu_kernels_baseline.name) == 0 ? &cpu_kernels_baseline : NULL;
}
