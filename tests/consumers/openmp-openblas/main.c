/* SPDX-License-Identifier: Apache-2.0 */
/* A numeric program of its own: teams of OpenMP, one in the other, and products by OpenBLAS, before, between and after calls
 * of the library, which is also called from inside a parallel region with a context per thread. The library must compute as
 * it does alone, so must OpenBLAS, and the host's settings of both must be what the host made them. Prints the shop's lists.
 */
#include "job.h"

#include <cblas.h>
#include <omp.h>
#include <stdlib.h>

enum { TEAM = 2, INNER = 2, BLAS_THREADS = 2, SIZE = 192 };

static shop data;
static float left[SIZE * SIZE];
static float right[SIZE * SIZE];

static int fail(const char *what)
{
    fprintf(stderr, "openmp-openblas: %s\n", what);
    return 1;
}

/* The product of left and right, the caller's to free; NULL if memory ran out. */
static float *multiply(void)
{
    float *product = calloc(SIZE * SIZE, sizeof *product);
    if (product) {
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, SIZE, SIZE, SIZE, 1.0f, left, SIZE, right, SIZE, 0.0f,
                    product, SIZE);
    }
    return product;
}

/* 0 if OpenBLAS still computes what it did at first. */
static int multiplies_as(const float *expected)
{
    float *product = multiply();
    int same = product && memcmp(product, expected, SIZE * SIZE * sizeof *product) == 0;
    free(product);
    return same ? 0 : fail("OpenBLAS computes differently than before");
}

/* The host's settings, as they are in the calling thread. team: the threads that a parallel region would have. */
static int settings_are(int team)
{
    if (omp_get_max_threads() != team || omp_get_max_active_levels() != 2 || omp_get_dynamic() != 0) {
        return fail("the host's settings of OpenMP were changed");
    }
    return openblas_get_num_threads() == BLAS_THREADS ? 0 : fail("OpenBLAS has another number of threads than before");
}

/* How many threads a parallel region has, if it does not ask for a number. */
static int team_size(void)
{
    int n = 0;
#pragma omp parallel reduction(+ : n)
    n++;
    return n;
}

static int train_and_recommend(int threads, shop_lists *lists)
{
    job j;
    int failed = job_train(&j, &data, threads) || job_recommend(&j, &data, lists);
    if (failed) {
        fail(cfd_last_error());
    }
    job_close(&j);
    return failed;
}

/* In every thread of a team: a team of the thread's own before and after the library, which has threads of its own, too. */
static int inside_a_team(const shop_lists *expected)
{
    static shop_lists lists[TEAM];
    int failures = 0;
#pragma omp parallel num_threads(TEAM) reduction(+ : failures)
    {
        int me = omp_get_thread_num();
        omp_set_num_threads(INNER + me); /* a setting of this thread alone */
        failures += omp_get_num_threads() != TEAM ? fail("the team is too small") : 0;
        failures += team_size() != INNER + me ? fail("the inner team has another size than was set") : 0;
        failures += train_and_recommend(1 + me, &lists[me]);
        failures += settings_are(INNER + me);
        failures += team_size() != INNER + me ? fail("the inner team has another size than before") : 0;
        if (memcmp(&lists[me], expected, sizeof *expected) != 0) {
            failures += fail("inside a parallel region the library computes differently");
        }
    }
    return failures;
}

int main(void)
{
    static shop_lists lists;
    uint32_t state = 1;
    shop_fill(&data);
    for (int i = 0; i < SIZE * SIZE; i++) {
        left[i] = (float)shop_draw(&state, 1000) / 1000.0f;
        right[i] = (float)shop_draw(&state, 1000) / 1000.0f;
    }
    omp_set_dynamic(0);
    omp_set_max_active_levels(2);
    omp_set_num_threads(TEAM);
    openblas_set_num_threads(BLAS_THREADS);
    float *expected = multiply();
    if (!expected || settings_are(TEAM)) {
        return fail("the host cannot begin");
    }
    int failures = train_and_recommend(2, &lists) + settings_are(TEAM) + multiplies_as(expected);
    failures += inside_a_team(&lists) + settings_are(TEAM) + multiplies_as(expected);
    failures += team_size() != TEAM ? fail("a team has another size than at first") : 0;
    free(expected);
    return failures || shop_print(&lists);
}
