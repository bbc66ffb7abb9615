/* SPDX-License-Identifier: Apache-2.0 */
/* Which compilation of kernels_short.c runs. Compiled for the baseline, as kernels_choose.c is. */
#include "ops/cpu/kernels_short.h"

#include "ops/cpu/kernels.h"

#include <string.h>

extern const short_kernels short_kernels_baseline;
#ifdef CFD_KERNELS_X86
extern const short_kernels short_kernels_avx2;
extern const short_kernels short_kernels_avx512;
extern const short_kernels short_kernels_avx512vnni;

static bool has_vnni(void)
{
    return cpu_kernels_find("avx512") && __builtin_cpu_supports("avx512vnni");
}
#endif

const short_kernels *short_kernels_find(const char *name)
{
#ifdef CFD_KERNELS_X86
    if (strcmp(name, short_kernels_avx512vnni.name) == 0) {
        return has_vnni() ? &short_kernels_avx512vnni : NULL;
    }
    if (strcmp(name, short_kernels_avx512.name) == 0) {
        return cpu_kernels_find("avx512") ? &short_kernels_avx512 : NULL;
    }
    if (strcmp(name, short_kernels_avx2.name) == 0) {
        return cpu_kernels_find("avx2") ? &short_kernels_avx2 : NULL;
    }
#endif
    return strcmp(name, short_kernels_baseline.name) == 0 ? &short_kernels_baseline : NULL;
}

const short_kernels *short_kernels_for(const char *set)
{
#ifdef CFD_KERNELS_X86
    if (strcmp(set, "avx512") == 0 && has_vnni()) {
        return &short_kernels_avx512vnni;
    }
#endif
    const short_kernels *own = short_kernels_find(set);
    return own ? own : &short_kernels_baseline;
}
