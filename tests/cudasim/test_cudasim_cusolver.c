/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated cuSOLVER: eigenvalues and vectors of many symmetric matrices, and the mistakes that it must notice, each
 * beside the same thing done well. */
#include "libraries_support.h"

#include <cusolverDn.h>

enum { MOST_N = 24, MOST_COUNT = 5 };

static cusolverDnHandle_t solver;
static syevjInfo_t settings;

static void begin(void)
{
    begin_support();
    GOOD(cusolverDnCreate(&solver));
    GOOD(cusolverDnSetStream(solver, stream));
    GOOD(cusolverDnCreateSyevjInfo(&settings));
}

static void end(void)
{
    GOOD(cusolverDnDestroySyevjInfo(settings));
    GOOD(cusolverDnDestroy(solver));
    end_support();
}

/* Matrices in double or float; only one triangle is uploaded, and nothing between the columns. */
typedef struct problem {
    bool wide;
    cublasFillMode_t uplo;
    cusolverEigMode_t mode;
    int n, lda, count, lwork;
    double matrix[MOST_COUNT][MOST_N][MOST_N];
    double vectors[MOST_COUNT][MOST_N][MOST_N], values[MOST_COUNT][MOST_N]; /* results: vectors[k][i][j]: of vector j */
    int found[MOST_COUNT];
    void *a, *w, *work;
    int *info;
} problem;

static size_t element(const problem *p)
{
    return p->wide ? sizeof(double) : sizeof(float);
}

static void upload_matrices(const problem *p)
{
    for (int k = 0; k < p->count; k++) {
        for (int j = 0; j < p->n; j++) {
            for (int i = 0; i < p->n; i++) {
                float narrow = (float)p->matrix[k][i][j];
                size_t at = ((size_t)k * (size_t)p->n + (size_t)j) * (size_t)p->lda + (size_t)i;
                if (p->uplo == CUBLAS_FILL_MODE_LOWER ? i >= j : i <= j) {
                    GOOD(cudaMemcpy((char *)p->a + at * element(p),
                                    p->wide ? (const void *)&p->matrix[k][i][j] : (const void *)&narrow, element(p),
                                    cudaMemcpyHostToDevice));
                }
            }
        }
    }
}

static cusolverStatus_t ask_size(const problem *p, int *lwork)
{
    return p->wide ? cusolverDnDsyevjBatched_bufferSize(solver, p->mode, p->uplo, p->n, p->a, p->lda, p->w, lwork, settings,
                                                        p->count)
                   : cusolverDnSsyevjBatched_bufferSize(solver, p->mode, p->uplo, p->n, p->a, p->lda, p->w, lwork, settings,
                                                        p->count);
}

static cusolverStatus_t solve(const problem *p)
{
    return p->wide ? cusolverDnDsyevjBatched(solver, p->mode, p->uplo, p->n, p->a, p->lda, p->w, p->work, p->lwork, p->info,
                                             settings, p->count)
                   : cusolverDnSsyevjBatched(solver, p->mode, p->uplo, p->n, p->a, p->lda, p->w, p->work, p->lwork, p->info,
                                             settings, p->count);
}

/* Whole numbers, symmetric; matrix 1 has an eigenvalue many times. */
static problem problem_make(bool wide, cublasFillMode_t uplo, int n, int gap, int count)
{
    problem p = {.wide = wide, .uplo = uplo, .mode = CUSOLVER_EIG_MODE_VECTOR, .n = n, .lda = n + gap, .count = count};
    for (int k = 0; k < count; k++) {
        for (int i = 0; i < n; i++) {
            for (int j = 0; j <= i; j++) {
                p.matrix[k][i][j] = p.matrix[k][j][i] = k == 1 ? 1.0 : (double)small();
            }
        }
    }
    p.a = device_memory((size_t)(p.lda * n * count - gap) * element(&p));
    p.w = device_memory((size_t)(n * count) * element(&p));
    p.info = device_memory((size_t)count * sizeof(int));
    GOOD(ask_size(&p, &p.lwork));
    p.work = device_memory((size_t)p.lwork * element(&p));
    upload_matrices(&p);
    return p;
}

static double read_number(const problem *p, const void *array, size_t at)
{
    double wide = 0;
    float narrow = 0;
    GOOD(cudaMemcpy(p->wide ? (void *)&wide : (void *)&narrow, (const char *)array + at * element(p), element(p),
                    cudaMemcpyDeviceToHost));
    return p->wide ? wide : (double)narrow;
}

static void download(problem *p)
{
    fetch(p->found, p->info, (size_t)p->count * sizeof(int));
    for (int k = 0; k < p->count; k++) {
        for (int j = 0; j < p->n; j++) {
            size_t column = (size_t)k * (size_t)p->n + (size_t)j;
            p->values[k][j] = read_number(p, p->w, column);
            for (int i = 0; i < p->n; i++) {
                p->vectors[k][i][j] = read_number(p, p->a, column * (size_t)p->lda + (size_t)i);
            }
        }
    }
}

/* A v = lambda v, v orthonormal. */
static void check_solution(const problem *p, int k)
{
    double enough = p->wide ? 1e-12 : 1e-4;
    ck_assert_int_eq(p->found[k], 0);
    for (int j = 0; j < p->n; j++) {
        for (int i = 0; i < p->n; i++) {
            double product = 0, cosine = 0;
            for (int l = 0; l < p->n; l++) {
                product += p->matrix[k][i][l] * p->vectors[k][l][j];
                cosine += p->vectors[k][l][i] * p->vectors[k][l][j];
            }
            ck_assert_double_eq_tol(product, p->values[k][j] * p->vectors[k][i][j], enough * p->n);
            ck_assert_double_eq_tol(cosine, i == j, enough);
        }
    }
}

static bool ascending(const problem *p, int k)
{
    for (int j = 1; j < p->n; j++) {
        if (p->values[k][j] < p->values[k][j - 1]) {
            return false;
        }
    }
    return true;
}

/* ---- results ---- */

START_TEST(vectors_and_values)
{
    static const int sizes[] = {1, 2, 5, MOST_N};
    bool wide = _i % 2 == 0;
    for (int i = 0; i < 4; i++) {
        problem p = problem_make(wide, i % 2 == 0 ? CUBLAS_FILL_MODE_LOWER : CUBLAS_FILL_MODE_UPPER, sizes[i],
                                 _i < 2 ? 0 : 3, i + 1);
        unsigned long before = (unsigned long)cudasim_count(CUDASIM_LIBRARY_CALLS);
        GOOD(solve(&p));
        ck_assert_uint_eq(cudasim_count(CUDASIM_LIBRARY_CALLS) - before, 1);
        download(&p);
        for (int k = 0; k < p.count; k++) {
            check_solution(&p, k);
            ck_assert(ascending(&p, k));
        }
    }
}
END_TEST

START_TEST(values_are_sorted_only_if_asked)
{
    problem p = problem_make(true, CUBLAS_FILL_MODE_LOWER, 3, 0, 1);
    double diagonal[3] = {2, 1, 3};
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) {
            p.matrix[0][i][j] = i == j ? diagonal[i] : 0;
        }
    }
    upload_matrices(&p);
    GOOD(cusolverDnXsyevjSetSortEig(settings, 0));
    GOOD(solve(&p));
    download(&p);
    check_solution(&p, 0);
    ck_assert(!ascending(&p, 0));
}
END_TEST

START_TEST(without_vectors)
{
    problem p = problem_make(true, CUBLAS_FILL_MODE_LOWER, 6, 0, 1), q = p;
    GOOD(solve(&p));
    download(&p);
    q.mode = CUSOLVER_EIG_MODE_NOVECTOR;
    upload_matrices(&q);
    GOOD(solve(&q));
    download(&q);
    for (int j = 0; j < 6; j++) {
        ck_assert_double_eq_tol(p.values[0][j], q.values[0][j], 1e-13);
    }
}
END_TEST

/* Both signs are right, and both come: by the matrix, so that the same one has the same vectors every time. */
START_TEST(signs_are_anyones_guess)
{
    problem p = problem_make(true, CUBLAS_FILL_MODE_LOWER, 4, 0, 1);
    bool positive = false, negative = false;
    for (int i = 0; i < 20; i++) {
        p.matrix[0][0][0] += 1;
        upload_matrices(&p);
        GOOD(solve(&p));
        download(&p);
        check_solution(&p, 0);
        positive = positive || p.vectors[0][0][0] > 0;
        negative = negative || p.vectors[0][0][0] < 0;
    }
    ck_assert(positive && negative);
}
END_TEST

START_TEST(what_does_not_converge_says_so)
{
    problem p = problem_make(true, CUBLAS_FILL_MODE_LOWER, 5, 0, 3);
    p.matrix[1][3][2] = NAN;
    upload_matrices(&p);
    GOOD(solve(&p));
    download(&p);
    check_solution(&p, 0);
    ck_assert_int_eq(p.found[1], 6);
    check_solution(&p, 2);
    problem q = problem_make(true, CUBLAS_FILL_MODE_LOWER, 5, 0, 1);
    GOOD(cusolverDnXsyevjSetMaxSweeps(settings, 1));
    GOOD(solve(&q));
    download(&q);
    ck_assert_int_eq(q.found[0], 6);
    upload_matrices(&q);
    GOOD(cusolverDnXsyevjSetTolerance(settings, 0.9));
    GOOD(solve(&q));
    download(&q);
    ck_assert_int_eq(q.found[0], 0);
}
END_TEST

START_TEST(it_can_be_recorded)
{
    problem p = problem_make(true, CUBLAS_FILL_MODE_UPPER, 4, 0, 2);
    cudaGraph_t graph;
    cudaGraphExec_t exec;
    GOOD(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
    GOOD(solve(&p));
    GOOD(cudaStreamEndCapture(stream, &graph));
    GOOD(cudaGraphInstantiate(&exec, graph, 0));
    GOOD(cudaGraphLaunch(exec, stream));
    download(&p);
    check_solution(&p, 0);
    check_solution(&p, 1);
    GOOD(cudaGraphExecDestroy(exec));
    GOOD(cudaGraphDestroy(graph));
}
END_TEST

/* ---- mistakes ---- */

START_TEST(bad_values_have_a_status)
{
    problem p = problem_make(true, CUBLAS_FILL_MODE_LOWER, 4, 0, 2), q = p;
    int version = 0, lwork = 0;
    cudaStream_t found = NULL;
    GOOD(cusolverGetVersion(&version));
    ck_assert_int_eq(version, CUSOLVER_VERSION);
    GOOD(cusolverDnGetStream(solver, &found));
    ck_assert_ptr_eq(found, stream);
    ck_assert_int_eq(cusolverGetVersion(NULL), CUSOLVER_STATUS_INVALID_VALUE);
    ck_assert_int_eq(cusolverGetProperty(MAJOR_VERSION, NULL), CUSOLVER_STATUS_INVALID_VALUE);
    ck_assert_int_eq(cusolverDnCreate(NULL), CUSOLVER_STATUS_INVALID_VALUE);
    ck_assert_int_eq(cusolverDnGetStream(solver, NULL), CUSOLVER_STATUS_INVALID_VALUE);
    ck_assert_int_eq(cusolverDnCreateSyevjInfo(NULL), CUSOLVER_STATUS_INVALID_VALUE);
    ck_assert_int_eq(ask_size(&p, NULL), CUSOLVER_STATUS_INVALID_VALUE);
    q.lda = 3;
    ck_assert_int_eq(ask_size(&q, &lwork), CUSOLVER_STATUS_INVALID_VALUE);
    ck_assert_int_eq(solve(&q), CUSOLVER_STATUS_INVALID_VALUE);
    q = p;
    q.lwork--;
    ck_assert_int_eq(solve(&q), CUSOLVER_STATUS_INVALID_VALUE);
    q = p;
    q.n = -1;
    ck_assert_int_eq(solve(&q), CUSOLVER_STATUS_INVALID_VALUE);
    q = p;
    q.uplo = CUBLAS_FILL_MODE_FULL;
    ck_assert_int_eq(solve(&q), CUSOLVER_STATUS_INVALID_VALUE);
    ck_assert_int_eq(cusolverDnDsyevjBatched(NULL, p.mode, p.uplo, p.n, p.a, p.lda, p.w, p.work, p.lwork, p.info, settings,
                                             p.count),
                     CUSOLVER_STATUS_NOT_INITIALIZED);
    GOOD(solve(&p));
}
END_TEST

START_TEST(memory_is_the_devices_and_large_enough)
{
    problem p = problem_make(true, CUBLAS_FILL_MODE_LOWER, 4, 0, 2), q = p;
    static double host[4096];
    q.lda = 5;
    FAULT("argument", solve(&q));
    q = p;
    q.work = host;
    FAULT("argument", solve(&q));
    q = p;
    q.work = NULL;
    FAULT("argument", solve(&q));
    q = p;
    q.lwork++;
    FAULT("argument", solve(&q)); /* more than there is */
    q = p;
    q.w = p.a;
    FAULT("argument", solve(&q)); /* overlap */
    q = p;
    q.info = (int *)(void *)((char *)p.info + 1);
    FAULT("misaligned", solve(&q));
    GOOD(solve(&p));
}
END_TEST

START_TEST(work_is_used)
{
    problem p = problem_make(false, CUBLAS_FILL_MODE_LOWER, 4, 0, 2);
    size_t bytes = (size_t)p.lwork * sizeof(float);
    unsigned char *before = calloc(1, bytes), *after = calloc(1, bytes);
    GOOD(cudaMemcpy(p.work, before, bytes, cudaMemcpyHostToDevice));
    GOOD(solve(&p));
    fetch(after, p.work, bytes);
    ck_assert(memcmp(before, after, bytes) != 0);
    free(before);
    free(after);
}
END_TEST

START_TEST(one_triangle_is_initialised)
{
    problem p = problem_make(true, CUBLAS_FILL_MODE_LOWER, 4, 0, 1);
    p.uplo = CUBLAS_FILL_MODE_UPPER; /* the other one was uploaded */
    CHECKED_FAULT("uninitialised read", solve(&p));
    p.uplo = CUBLAS_FILL_MODE_LOWER;
    GOOD(solve(&p));
}
END_TEST

START_TEST(handles_settings_and_memory_live)
{
    problem p = problem_make(true, CUBLAS_FILL_MODE_LOWER, 4, 0, 1);
    syevjInfo_t kept = settings, gone;
    GOOD(cusolverDnCreateSyevjInfo(&gone));
    GOOD(cusolverDnDestroySyevjInfo(gone));
    settings = gone;
    FAULT("argument", solve(&p));
    settings = kept;
    GOOD(solve(&p));
    GOOD(cudaStreamSynchronize(stream));
    device_free(p.w);
    FAULT("argument", solve(&p));
    cusolverDnHandle_t other;
    GOOD(cusolverDnCreate(&other));
    GOOD(cusolverDnDestroy(other));
    FAULT("argument", cusolverDnSetStream(other, stream));
    cudaStream_t ended;
    GOOD(cudaStreamCreateWithFlags(&ended, cudaStreamNonBlocking));
    GOOD(cudaStreamDestroy(ended));
    FAULT("argument", cusolverDnSetStream(solver, ended));
    problem q = problem_make(true, CUBLAS_FILL_MODE_LOWER, 4, 0, 1);
    cudasim_set_devices(2);
    GOOD(cudaSetDevice(1));
    FAULT("argument", solve(&q));
    GOOD(cudaSetDevice(0));
    GOOD(solve(&q));
}
END_TEST

static void solve_and_read(const problem *p, bool ordered)
{
    cudaStream_t other;
    cudaEvent_t event;
    double *copy = device_memory(sizeof(double));
    GOOD(cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking));
    GOOD(cudaEventCreateWithFlags(&event, cudaEventDisableTiming));
    solve(p);
    if (ordered) {
        GOOD(cudaEventRecord(event, stream));
        GOOD(cudaStreamWaitEvent(other, event, 0));
    }
    cudaMemcpyAsync(copy, p->w, sizeof(double), cudaMemcpyDeviceToDevice, other);
    cudaDeviceSynchronize();
    cudaStreamDestroy(other);
    cudaEventDestroy(event);
}

START_TEST(streams_are_ordered_by_events_only)
{
    problem p = problem_make(true, CUBLAS_FILL_MODE_LOWER, 4, 0, 1);
    solve_and_read(&p, true);
    upload_matrices(&p);
    CHECKED_FAULT("stream race", solve_and_read(&p, false));
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("cudasim_cusolver");
    TCase *results = tcase_create("results");
    tcase_add_checked_fixture(results, begin, end);
    tcase_set_timeout(results, 120);
    tcase_add_loop_test(results, vectors_and_values, 0, 4);
    tcase_add_test(results, values_are_sorted_only_if_asked);
    tcase_add_test(results, without_vectors);
    tcase_add_test(results, signs_are_anyones_guess);
    tcase_add_test(results, what_does_not_converge_says_so);
    tcase_add_test(results, it_can_be_recorded);
    suite_add_tcase(s, results);
    TCase *mistakes = tcase_create("mistakes");
    tcase_add_checked_fixture(mistakes, begin, end);
    tcase_add_test(mistakes, bad_values_have_a_status);
    tcase_add_test(mistakes, memory_is_the_devices_and_large_enough);
    tcase_add_test(mistakes, work_is_used);
    tcase_add_test(mistakes, one_triangle_is_initialised);
    tcase_add_test(mistakes, handles_settings_and_memory_live);
    tcase_add_test(mistakes, streams_are_ordered_by_events_only);
    suite_add_tcase(s, mistakes);
    return s;
}

TEST_MAIN(suite)
