/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated cuSPARSE: products of a CSR matrix and a dense one in every layout against plain loops, and the mistakes
 * that it must notice, each beside the same thing done well. */
#include "libraries_support.h"

#include <cusparse.h>

enum { ROWS = 23, INNER = 17, MOST = ROWS * INNER };
static const cusparseOperation_t N = CUSPARSE_OPERATION_NON_TRANSPOSE, T = CUSPARSE_OPERATION_TRANSPOSE;

static const cusparseSpMMAlg_t algorithms[] = {CUSPARSE_SPMM_ALG_DEFAULT, CUSPARSE_SPMM_CSR_ALG1, CUSPARSE_SPMM_CSR_ALG2,
                                               CUSPARSE_SPMM_CSR_ALG3};
static const float one = 1, zero = 0;
static cusparseHandle_t sparse;

/* A in host memory, in 32 and 64 bits; column 5 is empty. */
static int32_t offsets32[ROWS + 1], indices32[MOST];
static int64_t offsets64[ROWS + 1], indices64[MOST];
static float values[MOST];
static int nonzeros;

static void make_pattern(void)
{
    nonzeros = 0;
    for (int i = 0; i < ROWS; i++) {
        for (int j = 0; j < INNER; j++) {
            if (j != 5 && i % 7 != 3 && small() > 0) {
                indices64[nonzeros] = indices32[nonzeros] = j;
                values[nonzeros++] = small();
            }
        }
        offsets64[i + 1] = offsets32[i + 1] = nonzeros;
    }
}

static void begin(void)
{
    begin_support();
    make_pattern();
    GOOD(cusparseCreate(&sparse));
    GOOD(cusparseSetStream(sparse, stream));
}

static void end(void)
{
    GOOD(cusparseDestroy(sparse));
    end_support();
}

/* ---- a product with all that it needs ---- */

typedef struct product {
    int columns;
    cusparseOrder_t order_b, order_c;
    cusparseOperation_t op_b;
    int gap; /* beyond the least leading dimension */
    bool wide;
    cusparseSpMMAlg_t algorithm;
    float alpha, beta;

    float b[INNER][32], c[ROWS][32]; /* as they take part */
    void *offsets, *indices, *values, *device_b, *device_c, *buffer;
    int64_t ldb, ldc;
    size_t buffer_bytes;
    cusparseConstSpMatDescr_t a_descriptor;
    cusparseConstDnMatDescr_t b_descriptor;
    cusparseDnMatDescr_t c_descriptor;
} product;

/* Where element (i, j) is. */
static size_t place(cusparseOrder_t order, int64_t ld, int64_t i, int64_t j)
{
    return (size_t)(order == CUSPARSE_ORDER_ROW ? i * ld + j : j * ld + i);
}

/* Elements one by one, so that gaps, and rows of B that A does not name, stay uninitialised. */
static void upload_elements(product *p, bool with_c)
{
    for (int j = 0; j < p->columns; j++) {
        for (int i = 0; i < INNER; i++) {
            p->b[i][j] = small();
            size_t at = p->op_b == N ? place(p->order_b, p->ldb, i, j) : place(p->order_b, p->ldb, j, i);
            if (i != 5) {
                GOOD(cudaMemcpy((float *)p->device_b + at, &p->b[i][j], sizeof(float), cudaMemcpyHostToDevice));
            }
        }
        for (int i = 0; i < ROWS && with_c; i++) {
            p->c[i][j] = small();
            GOOD(cudaMemcpy((float *)p->device_c + place(p->order_c, p->ldc, i, j), &p->c[i][j], sizeof(float),
                            cudaMemcpyHostToDevice));
        }
    }
}

static void make_descriptors(product *p)
{
    int rows = p->op_b == N ? INNER : p->columns, columns = p->op_b == N ? p->columns : INNER;
    cusparseIndexType_t type = p->wide ? CUSPARSE_INDEX_64I : CUSPARSE_INDEX_32I;
    GOOD(cusparseCreateConstCsr(&p->a_descriptor, ROWS, INNER, nonzeros, p->offsets, p->indices, p->values, type, type,
                                CUSPARSE_INDEX_BASE_ZERO, CUDA_R_32F));
    GOOD(cusparseCreateConstDnMat(&p->b_descriptor, rows, columns, p->ldb, p->device_b, CUDA_R_32F, p->order_b));
    GOOD(cusparseCreateDnMat(&p->c_descriptor, ROWS, p->columns, p->ldc, p->device_c, CUDA_R_32F, p->order_c));
}

static void product_begin(product *p)
{
    int rows = p->op_b == N ? INNER : p->columns, columns = p->op_b == N ? p->columns : INNER;
    size_t index = p->wide ? 8 : 4;
    bool b_by_row = p->order_b == CUSPARSE_ORDER_ROW, c_by_row = p->order_c == CUSPARSE_ORDER_ROW;
    p->ldb = (b_by_row ? columns : rows) + p->gap;
    p->ldc = (c_by_row ? p->columns : ROWS) + p->gap;
    p->offsets = device_copy(p->wide ? (void *)offsets64 : offsets32, (ROWS + 1) * index);
    p->indices = device_copy(p->wide ? (void *)indices64 : indices32, (size_t)nonzeros * index);
    p->values = device_copy(values, (size_t)nonzeros * sizeof(float));
    p->device_b = device_memory((size_t)(p->ldb * (b_by_row ? rows : columns) - p->gap) * sizeof(float));
    p->device_c = device_memory((size_t)(p->ldc * (c_by_row ? ROWS : p->columns) - p->gap) * sizeof(float));
    upload_elements(p, p->beta != 0);
    make_descriptors(p);
    GOOD(cusparseSpMM_bufferSize(sparse, N, p->op_b, &p->alpha, p->a_descriptor, p->b_descriptor, &p->beta, p->c_descriptor,
                                 CUDA_R_32F, p->algorithm, &p->buffer_bytes));
    ck_assert_uint_gt(p->buffer_bytes, 0);
    p->buffer = device_memory(p->buffer_bytes);
}

static void product_end(product *p)
{
    GOOD(cusparseDestroySpMat(p->a_descriptor));
    GOOD(cusparseDestroyDnMat(p->b_descriptor));
    GOOD(cusparseDestroyDnMat(p->c_descriptor));
    void *memory[] = {p->offsets, p->indices, p->values, p->device_b, p->device_c, p->buffer};
    for (size_t i = 0; i < sizeof memory / sizeof *memory; i++) {
        if (memory[i] != NULL) {
            device_free(memory[i]);
        }
    }
}

static cusparseStatus_t multiply_with(const product *p, cusparseSpMMAlg_t algorithm, void *buffer)
{
    return cusparseSpMM(sparse, N, p->op_b, &p->alpha, p->a_descriptor, p->b_descriptor, &p->beta, p->c_descriptor,
                        CUDA_R_32F, algorithm, buffer);
}

static cusparseStatus_t multiply(const product *p)
{
    return multiply_with(p, p->algorithm, p->buffer);
}

static cusparseStatus_t prepare(const product *p)
{
    return cusparseSpMM_preprocess(sparse, N, p->op_b, &p->alpha, p->a_descriptor, p->b_descriptor, &p->beta,
                                   p->c_descriptor, CUDA_R_32F, p->algorithm, p->buffer);
}

static void check_result(const product *p)
{
    GOOD(cudaStreamSynchronize(stream));
    for (int i = 0; i < ROWS; i++) {
        for (int j = 0; j < p->columns; j++) {
            float sum = 0, found;
            for (int at = offsets32[i]; at < offsets32[i + 1]; at++) {
                sum += values[at] * p->b[indices32[at]][j];
            }
            float expected = p->alpha * sum + (p->beta != 0 ? p->beta * p->c[i][j] : 0);
            GOOD(cudaMemcpy(&found, (float *)p->device_c + place(p->order_c, p->ldc, i, j), sizeof found,
                            cudaMemcpyDeviceToHost));
            ck_assert_msg(found == expected, "(%d, %d): %g, not %g", i, j, (double)found, (double)expected);
        }
    }
}

/* One like spmm of the backend would use. */
static product usual(void)
{
    product p = {.columns = 8,
                 .order_b = CUSPARSE_ORDER_ROW,
                 .order_c = CUSPARSE_ORDER_ROW,
                 .op_b = N,
                 .algorithm = CUSPARSE_SPMM_CSR_ALG3,
                 .alpha = 1};
    return p;
}

/* ---- results ---- */

START_TEST(products_of_every_layout)
{
    for (int layout = 0; layout < 64; layout++) {
        product p = {.columns = layout % 3 == 0 ? 1 : 6,
                     .order_b = layout & 1 ? CUSPARSE_ORDER_ROW : CUSPARSE_ORDER_COL,
                     .order_c = layout & 2 ? CUSPARSE_ORDER_ROW : CUSPARSE_ORDER_COL,
                     .op_b = layout & 4 ? T : N,
                     .gap = layout & 8 ? 3 : 0,
                     .wide = (layout & 16) != 0,
                     .algorithm = algorithms[_i],
                     .alpha = 2,
                     .beta = layout & 32 ? -1 : 0};
        product_begin(&p);
        if (layout % 5 == 0) {
            GOOD(prepare(&p));
        }
        unsigned long before = (unsigned long)cudasim_count(CUDASIM_LIBRARY_CALLS);
        GOOD(multiply(&p));
        ck_assert_uint_eq(cudasim_count(CUDASIM_LIBRARY_CALLS) - before, 1);
        check_result(&p);
        product_end(&p);
    }
}
END_TEST

START_TEST(a_prepared_buffer_serves_again)
{
    product p = usual();
    product_begin(&p);
    GOOD(prepare(&p));
    for (int i = 0; i < 3; i++) {
        GOOD(multiply(&p));
        check_result(&p);
    }
    product_end(&p);
}
END_TEST

/* Sums whose bits tell the order. */
START_TEST(only_the_third_algorithm_promises_an_order)
{
    bool differs[2] = {false, false};
    for (int k = 0; k < 2; k++) {
        product p = usual();
        float first[ROWS * 8], again[ROWS * 8];
        for (int i = 0; i < nonzeros; i++) {
            values[i] = i % 3 == 0 ? 1e8f : i % 3 == 1 ? -1e8f : 1.0f;
        }
        p.algorithm = k == 0 ? CUSPARSE_SPMM_CSR_ALG3 : CUSPARSE_SPMM_CSR_ALG2;
        product_begin(&p);
        GOOD(multiply(&p));
        fetch(first, p.device_c, sizeof first);
        for (int i = 0; i < 5; i++) {
            GOOD(multiply(&p));
            fetch(again, p.device_c, sizeof again);
            differs[k] = differs[k] || memcmp(first, again, sizeof first) != 0;
        }
        product_end(&p);
    }
    ck_assert(!differs[0]);
    ck_assert(differs[1]);
}
END_TEST

START_TEST(an_empty_matrix_leaves_only_beta)
{
    product p = usual();
    p.beta = 3;
    memset(offsets32, 0, sizeof offsets32);
    nonzeros = 0;
    values[0] = 0;
    p.offsets = device_copy(offsets32, sizeof offsets32);
    p.ldb = p.ldc = 8;
    p.device_b = device_memory(sizeof(float) * INNER * 8);
    p.device_c = device_memory(sizeof(float) * ROWS * 8);
    upload_elements(&p, true);
    make_descriptors(&p);
    GOOD(cusparseSpMM_bufferSize(sparse, N, N, &p.alpha, p.a_descriptor, p.b_descriptor, &p.beta, p.c_descriptor, CUDA_R_32F,
                                 p.algorithm, &p.buffer_bytes));
    p.buffer = device_memory(p.buffer_bytes);
    GOOD(multiply(&p));
    check_result(&p);
    product_end(&p);
}
END_TEST

START_TEST(a_product_can_be_recorded)
{
    product p = usual();
    cudaGraph_t graph;
    cudaGraphExec_t exec;
    product_begin(&p);
    GOOD(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
    GOOD(multiply(&p));
    GOOD(cudaStreamEndCapture(stream, &graph));
    GOOD(cudaGraphInstantiate(&exec, graph, 0));
    GOOD(cudaGraphLaunch(exec, stream));
    check_result(&p);
    GOOD(cudaGraphExecDestroy(exec));
    GOOD(cudaGraphDestroy(graph));
    product_end(&p);
}
END_TEST

START_TEST(versions_and_names)
{
    int version = 0, major = 0;
    cudaStream_t found = NULL;
    cusparsePointerMode_t mode;
    GOOD(cusparseGetVersion(sparse, &version));
    GOOD(cusparseGetProperty(MAJOR_VERSION, &major));
    ck_assert_int_eq(version / 1000, major);
    GOOD(cusparseGetStream(sparse, &found));
    ck_assert_ptr_eq(found, stream);
    GOOD(cusparseGetPointerMode(sparse, &mode));
    ck_assert_int_eq(mode, CUSPARSE_POINTER_MODE_HOST);
    ck_assert_str_eq(cusparseGetErrorName(CUSPARSE_STATUS_NOT_SUPPORTED), "CUSPARSE_STATUS_NOT_SUPPORTED");
    ck_assert_ptr_nonnull(strstr(cusparseGetErrorString(CUSPARSE_STATUS_ALLOC_FAILED), "memory"));
    ck_assert_int_eq(cusparseCreate(NULL), CUSPARSE_STATUS_INVALID_VALUE);
    ck_assert_int_eq(cusparseGetVersion(sparse, NULL), CUSPARSE_STATUS_INVALID_VALUE);
    ck_assert_int_eq(cusparseGetProperty(MAJOR_VERSION, NULL), CUSPARSE_STATUS_INVALID_VALUE);
    ck_assert_int_eq(cusparseGetStream(sparse, NULL), CUSPARSE_STATUS_INVALID_VALUE);
    ck_assert_int_eq(cusparseDestroySpMat(NULL), CUSPARSE_STATUS_INVALID_VALUE);
}
END_TEST

/* ---- mistakes that have a status ---- */

START_TEST(bad_descriptors_have_a_status)
{
    cusparseConstSpMatDescr_t a = NULL;
    cusparseConstDnMatDescr_t b = NULL;
    float x[4] = {0};
    int32_t index[4] = {0};
    cusparseIndexType_t type = CUSPARSE_INDEX_32I;
    ck_assert_int_eq(cusparseCreateConstCsr(&a, -1, 2, 1, index, index, x, type, type, CUSPARSE_INDEX_BASE_ZERO, CUDA_R_32F),
                     CUSPARSE_STATUS_INVALID_VALUE);
    ck_assert_int_eq(cusparseCreateConstCsr(&a, 2, 2, 5, index, index, x, type, type, CUSPARSE_INDEX_BASE_ZERO, CUDA_R_32F),
                     CUSPARSE_STATUS_INVALID_VALUE);
    ck_assert_int_eq(cusparseCreateConstCsr(&a, 2, 2, 1, NULL, index, x, type, type, CUSPARSE_INDEX_BASE_ZERO, CUDA_R_32F),
                     CUSPARSE_STATUS_INVALID_VALUE);
    GOOD(cusparseCreateConstCsr(&a, 2, 2, 4, index, index, x, type, type, CUSPARSE_INDEX_BASE_ZERO, CUDA_R_32F));
    GOOD(cusparseDestroySpMat(a));
    ck_assert_int_eq(cusparseCreateConstDnMat(&b, 2, 3, 1, x, CUDA_R_32F, CUSPARSE_ORDER_COL),
                     CUSPARSE_STATUS_INVALID_VALUE);
    ck_assert_int_eq(cusparseCreateConstDnMat(&b, 2, 3, 2, x, CUDA_R_32F, CUSPARSE_ORDER_ROW),
                     CUSPARSE_STATUS_INVALID_VALUE);
    GOOD(cusparseCreateConstDnMat(&b, 2, 3, 2, x, CUDA_R_32F, CUSPARSE_ORDER_COL));
    GOOD(cusparseDestroyDnMat(b));
}
END_TEST

START_TEST(what_is_not_supported_has_a_status)
{
    product p = usual();
    cusparseConstSpMatDescr_t mixed;
    size_t bytes;
    product_begin(&p);
    GOOD(cusparseCreateConstCsr(&mixed, ROWS, INNER, nonzeros, device_copy(offsets64, sizeof offsets64), p.indices, p.values,
                                CUSPARSE_INDEX_64I, CUSPARSE_INDEX_32I, CUSPARSE_INDEX_BASE_ZERO, CUDA_R_32F));
    ck_assert_int_eq(cusparseSpMM_bufferSize(sparse, N, N, &one, mixed, p.b_descriptor, &zero, p.c_descriptor, CUDA_R_32F,
                                             p.algorithm, &bytes),
                     CUSPARSE_STATUS_NOT_SUPPORTED);
    ck_assert_int_eq(cusparseSpMM(sparse, N, N, &one, mixed, p.b_descriptor, &zero, p.c_descriptor, CUDA_R_32F, p.algorithm,
                                  p.buffer),
                     CUSPARSE_STATUS_NOT_SUPPORTED);
    GOOD(cusparseDestroySpMat(mixed));
    ck_assert_int_eq(cusparseSpMM_bufferSize(sparse, N, N, &one, p.a_descriptor, p.b_descriptor, &zero, p.c_descriptor,
                                             CUDA_R_32F, p.algorithm, NULL),
                     CUSPARSE_STATUS_INVALID_VALUE);
    ck_assert_int_eq(multiply_with(&p, CUSPARSE_SPMM_COO_ALG1, p.buffer), CUSPARSE_STATUS_NOT_SUPPORTED);
    ck_assert_int_eq(cusparseSpMM(sparse, N, N, &one, p.a_descriptor, p.b_descriptor, &zero, p.c_descriptor, CUDA_R_16F,
                                  p.algorithm, p.buffer),
                     CUSPARSE_STATUS_NOT_SUPPORTED);
    ck_assert_int_eq(cusparseSpMM(NULL, N, N, &one, p.a_descriptor, p.b_descriptor, &zero, p.c_descriptor, CUDA_R_32F,
                                  p.algorithm, p.buffer),
                     CUSPARSE_STATUS_NOT_INITIALIZED);
    ck_assert_int_eq(cusparseSpMM(sparse, N, T, &one, p.a_descriptor, p.b_descriptor, &zero, p.c_descriptor, CUDA_R_32F,
                                  p.algorithm, p.buffer),
                     CUSPARSE_STATUS_INVALID_VALUE);
    ck_assert_int_eq(cusparseSpMM(sparse, N, N, NULL, p.a_descriptor, p.b_descriptor, &zero, p.c_descriptor, CUDA_R_32F,
                                  p.algorithm, p.buffer),
                     CUSPARSE_STATUS_INVALID_VALUE);
    GOOD(multiply(&p));
    product_end(&p);
}
END_TEST

/* ---- mistakes that are faults ---- */

static const struct {
    int at; /* of the offsets, or of the indices */
    bool offset;
    int32_t value;
} bad_patterns[] = {{0, true, 1}, {ROWS, true, 1}, {4, true, MOST}, {7, true, -1}, {3, false, INNER}, {2, false, -1}};

START_TEST(a_pattern_is_consistent)
{
    product p = usual();
    int32_t value = bad_patterns[_i].value;
    product_begin(&p);
    GOOD(multiply(&p));
    GOOD(cudaStreamSynchronize(stream));
    GOOD(cudaMemcpy((int32_t *)(bad_patterns[_i].offset ? p.offsets : p.indices) + bad_patterns[_i].at, &value, sizeof value,
                    cudaMemcpyHostToDevice));
    FAULT("argument", multiply(&p));
    product_end(&p);
}
END_TEST

START_TEST(a_buffer_is_as_asked)
{
    product p = usual();
    product_begin(&p);
    char *large = device_memory(p.buffer_bytes + 64), *little = device_memory(p.buffer_bytes - 1);
    static char host[65536] __attribute__((aligned(128)));
    FAULT("misaligned", multiply_with(&p, p.algorithm, large + 64));
    FAULT("argument", multiply_with(&p, p.algorithm, little));
    FAULT("argument", multiply_with(&p, p.algorithm, NULL));
    FAULT("argument", multiply_with(&p, p.algorithm, host));
    FAULT("argument", multiply_with(&p, CUSPARSE_SPMM_CSR_ALG2, p.buffer));
    GOOD(multiply_with(&p, p.algorithm, large));
    unsigned char *before = calloc(1, p.buffer_bytes), *after = calloc(1, p.buffer_bytes);
    GOOD(cudaStreamSynchronize(stream));
    GOOD(cudaMemcpy(large, before, p.buffer_bytes, cudaMemcpyHostToDevice));
    GOOD(multiply_with(&p, p.algorithm, large));
    fetch(after, large, p.buffer_bytes);
    ck_assert(memcmp(before, after, p.buffer_bytes) != 0);
    free(before);
    free(after);
    product_end(&p);
}
END_TEST

START_TEST(a_prepared_buffer_stays_as_it_is)
{
    product p = usual();
    product_begin(&p);
    GOOD(prepare(&p));
    GOOD(multiply(&p));
    GOOD(cudaMemsetAsync(p.buffer, 0, p.buffer_bytes, stream));
    FAULT("argument", multiply(&p));
    GOOD(prepare(&p));
    GOOD(multiply(&p));
    int32_t swapped[2] = {indices32[1], indices32[0]};
    GOOD(cudaStreamSynchronize(stream));
    GOOD(cudaMemcpy(p.indices, swapped, sizeof swapped, cudaMemcpyHostToDevice));
    FAULT("argument", multiply(&p)); /* prepared for another pattern */
    GOOD(prepare(&p));
    size_t bytes;
    cusparseSpMMAlg_t others[2] = {CUSPARSE_SPMM_CSR_ALG1, CUSPARSE_SPMM_CSR_ALG2};
    for (int i = 0; i < 2; i++) {
        GOOD(cusparseSpMM_bufferSize(sparse, N, N, &one, p.a_descriptor, p.b_descriptor, &zero, p.c_descriptor, CUDA_R_32F,
                                     others[i], &bytes));
        ck_assert_uint_le(bytes, p.buffer_bytes);
    }
    p.algorithm = CUSPARSE_SPMM_CSR_ALG1;
    GOOD(prepare(&p));
    GOOD(multiply(&p));
    FAULT("argument", multiply_with(&p, CUSPARSE_SPMM_CSR_ALG2, p.buffer)); /* prepared for another algorithm */
    product_end(&p);
}
END_TEST

START_TEST(dense_matrices_reach_no_further_than_their_memory)
{
    product p = usual();
    product_begin(&p);
    GOOD(multiply(&p));
    cusparseConstDnMatDescr_t b = p.b_descriptor;
    cusparseDnMatDescr_t c = p.c_descriptor;
    cusparseConstDnMatDescr_t long_b;
    cusparseDnMatDescr_t long_c, same, shifted;
    GOOD(cusparseCreateConstDnMat(&long_b, INNER, 8, 9, p.device_b, CUDA_R_32F, CUSPARSE_ORDER_ROW));
    GOOD(cusparseCreateDnMat(&long_c, ROWS, 8, 9, p.device_c, CUDA_R_32F, CUSPARSE_ORDER_ROW));
    float *both = device_memory(sizeof(float) * 16 * ROWS);
    cusparseConstDnMatDescr_t left;
    GOOD(cudaMemsetAsync(both, 0, sizeof(float) * 16 * ROWS, stream));
    GOOD(cusparseCreateConstDnMat(&left, INNER, 8, 16, both, CUDA_R_32F, CUSPARSE_ORDER_ROW));
    GOOD(cusparseCreateDnMat(&same, ROWS, 8, 16, both + 8, CUDA_R_32F, CUSPARSE_ORDER_ROW));
    GOOD(cusparseCreateDnMat(&shifted, ROWS, 8, 16, both + 7, CUDA_R_32F, CUSPARSE_ORDER_ROW));
    p.b_descriptor = long_b;
    FAULT("argument", multiply(&p));
    p.b_descriptor = b;
    p.c_descriptor = long_c;
    FAULT("argument", multiply(&p));
    p.b_descriptor = left;
    p.c_descriptor = shifted;
    FAULT("argument", multiply(&p)); /* B and C overlap */
    p.c_descriptor = same;
    GOOD(multiply(&p)); /* halves of the same rows do not */
    p.b_descriptor = b;
    p.c_descriptor = c;
    GOOD(cusparseDestroyDnMat(long_b));
    GOOD(cusparseDestroyDnMat(long_c));
    GOOD(cusparseDestroyDnMat(left));
    GOOD(cusparseDestroyDnMat(same));
    GOOD(cusparseDestroyDnMat(shifted));
    product_end(&p);
}
END_TEST

/* Column 5 of A is empty, so that row 5 of B, never written, is not read; it is as soon as an index names it. */
START_TEST(rows_that_are_read_are_initialised)
{
    product p = usual();
    int32_t five = 5;
    product_begin(&p);
    GOOD(multiply(&p));
    GOOD(cudaStreamSynchronize(stream));
    GOOD(cudaMemcpy((int32_t *)p.indices + 2, &five, sizeof five, cudaMemcpyHostToDevice));
    CHECKED_FAULT("uninitialised read", multiply(&p));
    product_end(&p);
}
END_TEST

START_TEST(what_is_used_lives)
{
    product p = usual();
    product_begin(&p);
    GOOD(multiply(&p));
    cusparseConstDnMatDescr_t gone;
    GOOD(cusparseCreateConstDnMat(&gone, INNER, 8, 8, p.device_b, CUDA_R_32F, CUSPARSE_ORDER_ROW));
    GOOD(cusparseDestroyDnMat(gone));
    FAULT("argument",
          cusparseSpMM(sparse, N, N, &one, p.a_descriptor, gone, &zero, p.c_descriptor, CUDA_R_32F, p.algorithm, p.buffer));
    FAULT("argument", cusparseDestroyDnMat(gone));
    GOOD(cudaStreamSynchronize(stream));
    device_free(p.values);
    FAULT("argument", multiply(&p));
    p.values = NULL;
    product_end(&p);
}
END_TEST

START_TEST(indices_and_scalars_are_initialised)
{
    product p = usual();
    product_begin(&p);
    GOOD(cusparseDestroySpMat(p.a_descriptor));
    GOOD(cusparseCreateConstCsr(&p.a_descriptor, ROWS, INNER, nonzeros, device_memory(sizeof offsets32), p.indices, p.values,
                                CUSPARSE_INDEX_32I, CUSPARSE_INDEX_32I, CUSPARSE_INDEX_BASE_ZERO, CUDA_R_32F));
    size_t bytes;
    GOOD(cusparseSpMM_bufferSize(sparse, N, N, &one, p.a_descriptor, p.b_descriptor, &zero, p.c_descriptor, CUDA_R_32F,
                                 p.algorithm, &bytes));
    CHECKED_FAULT("uninitialised read", multiply(&p));
    float *scalars = device_memory(2 * sizeof(float));
    GOOD(cusparseSetPointerMode(sparse, CUSPARSE_POINTER_MODE_DEVICE));
    CHECKED_FAULT("uninitialised read", cusparseSpMM(sparse, N, N, scalars, p.a_descriptor, p.b_descriptor, scalars + 1,
                                                     p.c_descriptor, CUDA_R_32F, p.algorithm, p.buffer));
    product_end(&p);
}
END_TEST

START_TEST(streams_live_and_the_device_is_the_handles)
{
    product p = usual();
    cudaStream_t ended;
    product_begin(&p);
    GOOD(cudaStreamCreateWithFlags(&ended, cudaStreamNonBlocking));
    GOOD(cudaStreamDestroy(ended));
    FAULT("argument", cusparseSetStream(sparse, ended));
    cudasim_set_devices(2);
    GOOD(cudaSetDevice(1));
    FAULT("argument", multiply(&p));
    GOOD(cudaSetDevice(0));
    GOOD(multiply(&p));
    product_end(&p);
}
END_TEST

/* Descriptors and host scalars are read at the call. */
START_TEST(descriptors_may_go_before_the_work_runs)
{
    product p = usual();
    product_begin(&p);
    GOOD(multiply(&p));
    GOOD(cusparseDestroySpMat(p.a_descriptor));
    GOOD(cusparseDestroyDnMat(p.b_descriptor));
    GOOD(cusparseDestroyDnMat(p.c_descriptor));
    check_result(&p);
}
END_TEST

START_TEST(scalars_are_where_the_mode_says)
{
    product p = usual();
    float *scalars = device_memory(2 * sizeof(float));
    const float both[2] = {1, 0};
    product_begin(&p);
    GOOD(cudaMemcpy(scalars, both, sizeof both, cudaMemcpyHostToDevice));
    FAULT("argument", cusparseSpMM(sparse, N, N, scalars, p.a_descriptor, p.b_descriptor, &zero, p.c_descriptor, CUDA_R_32F,
                                   p.algorithm, p.buffer));
    GOOD(cusparseSetPointerMode(sparse, CUSPARSE_POINTER_MODE_DEVICE));
    FAULT("argument", multiply(&p));
    GOOD(cusparseSpMM(sparse, N, N, scalars, p.a_descriptor, p.b_descriptor, scalars + 1, p.c_descriptor, CUDA_R_32F,
                      p.algorithm, p.buffer));
    check_result(&p);
    product_end(&p);
}
END_TEST

static void overwrite_b(const product *p, bool ordered)
{
    cudaStream_t other;
    cudaEvent_t event;
    GOOD(cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking));
    GOOD(cudaEventCreateWithFlags(&event, cudaEventDisableTiming));
    multiply(p);
    if (ordered) {
        GOOD(cudaEventRecord(event, stream));
        GOOD(cudaStreamWaitEvent(other, event, 0));
    }
    cudaMemsetAsync(p->device_b, 0, sizeof(float), other);
    cudaDeviceSynchronize();
    cudaStreamDestroy(other);
    cudaEventDestroy(event);
}

START_TEST(streams_are_ordered_by_events_only)
{
    product p = usual();
    product_begin(&p);
    overwrite_b(&p, true);
    CHECKED_FAULT("stream race", overwrite_b(&p, false));
    product_end(&p);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("cudasim_cusparse");
    TCase *results = tcase_create("results");
    tcase_add_checked_fixture(results, begin, end);
    tcase_set_timeout(results, 120);
    tcase_add_loop_test(results, products_of_every_layout, 0, (int)(sizeof algorithms / sizeof *algorithms));
    tcase_add_test(results, a_prepared_buffer_serves_again);
    tcase_add_test(results, only_the_third_algorithm_promises_an_order);
    tcase_add_test(results, an_empty_matrix_leaves_only_beta);
    tcase_add_test(results, a_product_can_be_recorded);
    tcase_add_test(results, versions_and_names);
    suite_add_tcase(s, results);
    TCase *statuses = tcase_create("statuses");
    tcase_add_checked_fixture(statuses, begin, end);
    tcase_add_test(statuses, bad_descriptors_have_a_status);
    tcase_add_test(statuses, what_is_not_supported_has_a_status);
    suite_add_tcase(s, statuses);
    TCase *faults = tcase_create("faults");
    tcase_add_checked_fixture(faults, begin, end);
    tcase_add_loop_test(faults, a_pattern_is_consistent, 0, (int)(sizeof bad_patterns / sizeof *bad_patterns));
    tcase_add_test(faults, a_buffer_is_as_asked);
    tcase_add_test(faults, a_prepared_buffer_stays_as_it_is);
    tcase_add_test(faults, dense_matrices_reach_no_further_than_their_memory);
    tcase_add_test(faults, rows_that_are_read_are_initialised);
    tcase_add_test(faults, what_is_used_lives);
    tcase_add_test(faults, indices_and_scalars_are_initialised);
    tcase_add_test(faults, streams_live_and_the_device_is_the_handles);
    tcase_add_test(faults, descriptors_may_go_before_the_work_runs);
    tcase_add_test(faults, scalars_are_where_the_mode_says);
    tcase_add_test(faults, streams_are_ordered_by_events_only);
    suite_add_tcase(s, faults);
    return s;
}

TEST_MAIN(suite)
