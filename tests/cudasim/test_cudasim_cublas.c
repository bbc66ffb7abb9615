/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated cuBLAS: products of every shape, type and layout against plain loops; numbers in short types. Its checks are
 * tested in test_cudasim_cublas_faults.c. */
#include "libraries_support.h"

#include <cublas_v2.h>

static cublasHandle_t blas;

static void begin(void)
{
    begin_support();
    GOOD(cublasCreate(&blas));
    GOOD(cublasSetStream(blas, stream));
}

static void end(void)
{
    GOOD(cublasDestroy(blas));
    end_support();
}

/* ---- whole numbers in every type ---- */

static size_t size_of(cudaDataType type)
{
    return type == CUDA_R_64F ? 8 : type == CUDA_R_32F ? 4 : 2;
}

/* |value| < 2048 and whole */
static uint16_t half_of(float value)
{
    int size = (int)fabsf(value), exponent = 0;
    if (size == 0) {
        return 0;
    }
    while (size >> (exponent + 1) != 0) {
        exponent++;
    }
    return (uint16_t)((value < 0 ? 0x8000 : 0) | (exponent + 15) << 10 | (size - (1 << exponent)) << (10 - exponent));
}

static void put(cudaDataType type, void *array, int64_t i, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    switch (type) {
    case CUDA_R_64F: ((double *)array)[i] = value; break;
    case CUDA_R_32F: ((float *)array)[i] = value; break;
    case CUDA_R_16F: ((uint16_t *)array)[i] = half_of(value); break;
    default: ((uint16_t *)array)[i] = (uint16_t)(bits >> 16);
    }
}

/* Is it the number, but for the sign of zero? */
static bool has(cudaDataType type, const void *array, int64_t i, float value)
{
    unsigned char expected[8], found[8];
    size_t size = size_of(type);
    put(type, expected, 0, value);
    memcpy(found, (const char *)array + (size_t)i * size, size);
    found[size - 1] = (unsigned char)(value == 0 ? found[size - 1] & 0x7f : found[size - 1]);
    return memcmp(expected, found, size) == 0;
}

/* ---- one matrix or several of a stride, column-major, allocated to the last element and no further ---- */

typedef struct matrix {
    cudaDataType type;
    int64_t rows, columns, ld, stride, count;
    float *values; /* of element (i, j) of matrix k: values[(k * columns + j) * rows + i] */
    void *device;
} matrix;

static float *value_at(const matrix *x, int64_t k, int64_t i, int64_t j)
{
    return x->values + (k * x->columns + j) * x->rows + i;
}

/* Gaps between columns and matrices, and everything if not `filled`, are left uninitialised. */
static matrix matrix_make(cudaDataType type, int64_t rows, int64_t columns, int64_t gap, int64_t count, bool filled)
{
    matrix x = {type, rows, columns, rows + gap, 0, count, NULL, NULL};
    size_t size = size_of(type);
    x.stride = x.ld * columns + (count > 1 ? 3 : 0);
    x.values = malloc((size_t)(rows * columns * count) * sizeof(float) + 1);
    x.device = device_memory((size_t)((count - 1) * x.stride + (columns - 1) * x.ld + rows) * size);
    void *column = malloc((size_t)rows * size);
    for (int64_t k = 0; k < count; k++) {
        for (int64_t j = 0; j < columns; j++) {
            for (int64_t i = 0; i < rows; i++) {
                put(type, column, i, *value_at(&x, k, i, j) = small());
            }
            if (filled) {
                GOOD(cudaMemcpy((char *)x.device + (size_t)(k * x.stride + j * x.ld) * size, column, (size_t)rows * size,
                                cudaMemcpyHostToDevice));
            }
        }
    }
    free(column);
    return x;
}

typedef struct product {
    int64_t m, n, k, count;
    bool transposed_a, transposed_b;
    int64_t gap; /* of all three */
    cudaDataType in, out;
    cublasComputeType_t compute;
    float alpha, beta;
} product;

static void check_result(const product *p, const matrix *a, const matrix *b, const matrix *c)
{
    size_t size = size_of(c->type);
    void *column = malloc((size_t)c->rows * size);
    GOOD(cudaStreamSynchronize(stream));
    for (int64_t at = 0; at < p->count * p->n; at++) {
        int64_t k = at / p->n, j = at % p->n;
        GOOD(cudaMemcpy(column, (char *)c->device + (size_t)(k * c->stride + j * c->ld) * size, (size_t)c->rows * size,
                        cudaMemcpyDeviceToHost));
        for (int64_t i = 0; i < p->m; i++) {
            float sum = 0;
            for (int64_t l = 0; l < p->k; l++) {
                sum += *(p->transposed_a ? value_at(a, k, l, i) : value_at(a, k, i, l)) *
                       *(p->transposed_b ? value_at(b, k, j, l) : value_at(b, k, l, j));
            }
            float expected = p->alpha * sum + (p->beta != 0 ? p->beta * *value_at(c, k, i, j) : 0);
            ck_assert_msg(has(c->type, column, i, expected), "(%d, %d) of %d is not %g", (int)i, (int)j, (int)k,
                          (double)expected);
        }
    }
    free(column);
}

/* By one of the functions that can do it; `way` chooses. */
static cublasStatus_t call(const product *p, const matrix *a, const matrix *b, const matrix *c, int way)
{
    cublasOperation_t ta = p->transposed_a ? CUBLAS_OP_T : CUBLAS_OP_N, tb = p->transposed_b ? CUBLAS_OP_T : CUBLAS_OP_N;
    int m = (int)p->m, n = (int)p->n, k = (int)p->k, lda = (int)a->ld, ldb = (int)b->ld, ldc = (int)c->ld;
    if (p->in == CUDA_R_64F) {
        double alpha = p->alpha, beta = p->beta;
        return p->count == 1
                   ? cublasDgemm(blas, ta, tb, m, n, k, &alpha, a->device, lda, b->device, ldb, &beta, c->device, ldc)
                   : cublasDgemmStridedBatched(blas, ta, tb, m, n, k, &alpha, a->device, lda, a->stride, b->device, ldb,
                                               b->stride, &beta, c->device, ldc, c->stride, (int)p->count);
    }
    switch (way) {
    case 0:
        return p->count == 1
                   ? cublasGemmEx(blas, ta, tb, m, n, k, &p->alpha, a->device, a->type, lda, b->device, b->type, ldb,
                                  &p->beta, c->device, c->type, ldc, p->compute, CUBLAS_GEMM_DEFAULT)
                   : cublasGemmStridedBatchedEx(blas, ta, tb, m, n, k, &p->alpha, a->device, a->type, lda, a->stride,
                                                b->device, b->type, ldb, b->stride, &p->beta, c->device, c->type, ldc,
                                                c->stride, (int)p->count, p->compute, CUBLAS_GEMM_DEFAULT);
    case 1:
        return p->count == 1
                   ? cublasGemmEx_64(blas, ta, tb, m, n, k, &p->alpha, a->device, a->type, lda, b->device, b->type, ldb,
                                     &p->beta, c->device, c->type, ldc, p->compute, CUBLAS_GEMM_DEFAULT)
                   : cublasGemmStridedBatchedEx_64(blas, ta, tb, m, n, k, &p->alpha, a->device, a->type, lda, a->stride,
                                                   b->device, b->type, ldb, b->stride, &p->beta, c->device, c->type, ldc,
                                                   c->stride, p->count, p->compute, CUBLAS_GEMM_DEFAULT);
    case 2:
        return p->count == 1
                   ? cublasSgemm(blas, ta, tb, m, n, k, &p->alpha, a->device, lda, b->device, ldb, &p->beta, c->device, ldc)
                   : cublasSgemmStridedBatched(blas, ta, tb, m, n, k, &p->alpha, a->device, lda, a->stride, b->device, ldb,
                                               b->stride, &p->beta, c->device, ldc, c->stride, (int)p->count);
    default:
        return p->count == 1
                   ? cublasSgemm_64(blas, ta, tb, m, n, k, &p->alpha, a->device, lda, b->device, ldb, &p->beta, c->device,
                                    ldc)
                   : cublasSgemmStridedBatched_64(blas, ta, tb, m, n, k, &p->alpha, a->device, lda, a->stride, b->device,
                                                  ldb, b->stride, &p->beta, c->device, ldc, c->stride, p->count);
    }
}

static void check_product(const product *p)
{
    matrix a = matrix_make(p->in, p->transposed_a ? p->k : p->m, p->transposed_a ? p->m : p->k, p->gap, p->count, true);
    matrix b = matrix_make(p->in, p->transposed_b ? p->n : p->k, p->transposed_b ? p->k : p->n, p->gap, p->count, true);
    for (int way = 0; way < (p->in == CUDA_R_64F ? 1 : p->in == CUDA_R_32F ? 4 : 2); way++) {
        matrix c = matrix_make(p->out, p->m, p->n, p->gap, p->count, p->beta != 0);
        unsigned long before = (unsigned long)cudasim_count(CUDASIM_LIBRARY_CALLS);
        GOOD(call(p, &a, &b, &c, way));
        ck_assert_uint_eq(cudasim_count(CUDASIM_LIBRARY_CALLS) - before, 1);
        check_result(p, &a, &b, &c);
        device_free(c.device);
        free(c.values);
    }
    device_free(a.device);
    device_free(b.device);
    free(a.values);
    free(b.values);
}

static const struct {
    cudaDataType in, out;
    cublasComputeType_t compute;
} kinds[] = {
    {CUDA_R_32F, CUDA_R_32F, CUBLAS_COMPUTE_32F},          {CUDA_R_32F, CUDA_R_32F, CUBLAS_COMPUTE_32F_FAST_TF32},
    {CUDA_R_32F, CUDA_R_32F, CUBLAS_COMPUTE_32F_PEDANTIC}, {CUDA_R_16BF, CUDA_R_32F, CUBLAS_COMPUTE_32F},
    {CUDA_R_16BF, CUDA_R_16BF, CUBLAS_COMPUTE_32F},        {CUDA_R_16F, CUDA_R_32F, CUBLAS_COMPUTE_32F},
    {CUDA_R_16F, CUDA_R_16F, CUBLAS_COMPUTE_32F},          {CUDA_R_64F, CUDA_R_64F, CUBLAS_COMPUTE_64F},
};

START_TEST(products_of_every_type_and_layout)
{
    static const int64_t shapes[][3] = {{1, 1, 1}, {3, 5, 7}, {8, 1, 33}, {17, 16, 2}};
    for (int shape = 0; shape < 4; shape++) {
        for (int layout = 0; layout < 16; layout++) {
            product p = {shapes[shape][0],
                         shapes[shape][1],
                         shapes[shape][2],
                         layout & 4 ? 3 : 1,
                         layout & 1,
                         layout & 2,
                         layout & 8 ? 5 : 0,
                         kinds[_i].in,
                         kinds[_i].out,
                         kinds[_i].compute,
                         layout % 3 == 0 ? 1.0f : -1.0f,
                         layout % 5 == 0 ? 0.0f : 1.0f};
            check_product(&p);
        }
    }
}
END_TEST

/* One operand for all products of a batch. */
START_TEST(a_stride_of_zero_repeats_an_operand)
{
    const float alpha = 1, beta = 0, a[4] = {1, 2, 3, 4}, b[2][2] = {{1, 1}, {2, -1}};
    float c[2][2];
    float *da = device_copy(a, sizeof a), *db = device_copy(b, sizeof b), *dc = device_memory(sizeof c);
    GOOD(cublasSgemmStridedBatched(blas, CUBLAS_OP_N, CUBLAS_OP_N, 2, 1, 2, &alpha, da, 2, 0, db, 2, 2, &beta, dc, 2, 2, 2));
    fetch(c, dc, sizeof c);
    ck_assert(c[0][0] == 4 && c[0][1] == 6 && c[1][0] == -1 && c[1][1] == 0);
}
END_TEST

START_TEST(no_inner_dimension_leaves_only_beta)
{
    const float alpha = 1, beta = 3, c[2] = {1, 2};
    float found[2], *dc = device_copy(c, sizeof c);
    GOOD(cublasSgemm(blas, CUBLAS_OP_N, CUBLAS_OP_N, 2, 1, 0, &alpha, NULL, 2, NULL, 1, &beta, dc, 2));
    fetch(found, dc, sizeof found);
    ck_assert(found[0] == 3 && found[1] == 6);
}
END_TEST

START_TEST(nothing_to_do_is_nothing)
{
    const float alpha = 1, beta = 0;
    unsigned long before = (unsigned long)cudasim_count(CUDASIM_LIBRARY_CALLS);
    GOOD(cublasSgemm(blas, CUBLAS_OP_N, CUBLAS_OP_N, 0, 3, 2, &alpha, NULL, 1, NULL, 2, &beta, NULL, 1));
    GOOD(cublasSgemm(blas, CUBLAS_OP_N, CUBLAS_OP_N, 3, 0, 2, &alpha, NULL, 3, NULL, 2, &beta, NULL, 3));
    ck_assert_uint_eq(cudasim_count(CUDASIM_LIBRARY_CALLS), before);
}
END_TEST

/* ---- numbers in short types ---- */

static float one_by_one(cublasComputeType_t compute, float x)
{
    const float alpha = 1, beta = 0, y = 1;
    float found, *dx = device_copy(&x, 4), *dy = device_copy(&y, 4), *dc = device_memory(4);
    GOOD(cublasGemmEx(blas, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, &alpha, dx, CUDA_R_32F, 1, dy, CUDA_R_32F, 1, &beta, dc,
                      CUDA_R_32F, 1, compute, CUBLAS_GEMM_DEFAULT));
    fetch(&found, dc, 4);
    device_free(dx);
    device_free(dy);
    device_free(dc);
    return found;
}

START_TEST(tf32_keeps_ten_bits)
{
    float x = 1 + 0x1p-11f + 0x1p-12f;
    ck_assert(one_by_one(CUBLAS_COMPUTE_32F, x) == x);
    ck_assert(one_by_one(CUBLAS_COMPUTE_32F_FAST_TF32, x) == 1 + 0x1p-10f);
    ck_assert(one_by_one(CUBLAS_COMPUTE_32F_FAST_TF32, -1 - 0x1p-12f) == -1);
    ck_assert(isinf(one_by_one(CUBLAS_COMPUTE_32F_FAST_TF32, INFINITY)));
    GOOD(cublasSetMathMode(blas, CUBLAS_TF32_TENSOR_OP_MATH));
    ck_assert(one_by_one(CUBLAS_COMPUTE_32F, x) == 1 + 0x1p-10f);
    ck_assert(one_by_one(CUBLAS_COMPUTE_32F_PEDANTIC, x) == x);
}
END_TEST

/* The bits of alpha in a type. */
static unsigned bits_in(cudaDataType type, float alpha)
{
    const float beta = 0;
    uint16_t one[4], found; /* room for any type */
    put(type, one, 0, 1);
    void *a = device_copy(one, 2), *b = device_copy(one, 2), *c = device_memory(2);
    GOOD(cublasGemmEx(blas, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, &alpha, a, type, 1, b, type, 1, &beta, c, type, 1,
                      CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT));
    fetch(&found, c, 2);
    device_free(a);
    device_free(b);
    device_free(c);
    return found;
}

START_TEST(short_types_round_to_the_nearest)
{
    static const struct {
        cudaDataType type;
        float value;
        unsigned bits;
    } cases[] = {
        {CUDA_R_16F, 0.1f, 0x2e66},         {CUDA_R_16F, 65504.0f, 0x7bff},  {CUDA_R_16F, 65519.0f, 0x7bff},
        {CUDA_R_16F, 65520.0f, 0x7c00},     {CUDA_R_16F, 0x1p-24f, 0x0001},  {CUDA_R_16F, 0x1p-25f, 0x0000},
        {CUDA_R_16F, 0x3p-25f, 0x0002},     {CUDA_R_16F, -0x1p-14f, 0x8400}, {CUDA_R_16F, 0x1.ff8p-15f, 0x03ff},
        {CUDA_R_16F, 0x1.ffcp-15f, 0x0400}, {CUDA_R_16F, 2049.0f, 0x6800},   {CUDA_R_16F, 2051.0f, 0x6802},
        {CUDA_R_16F, INFINITY, 0x7c00},     {CUDA_R_16BF, 0.1f, 0x3dcd},     {CUDA_R_16BF, 257.0f, 0x4380},
        {CUDA_R_16BF, 259.0f, 0x4382},      {CUDA_R_16BF, 3.4e38f, 0x7f80},  {CUDA_R_16BF, -INFINITY, 0xff80},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned found = bits_in(cases[i].type, cases[i].value);
        ck_assert_msg(found == cases[i].bits, "%a: %04x, not %04x", (double)cases[i].value, found, cases[i].bits);
    }
    ck_assert_uint_gt(bits_in(CUDA_R_16F, NAN) & 0x7fff, 0x7c00);
    ck_assert_uint_gt(bits_in(CUDA_R_16BF, NAN) & 0x7fff, 0x7f80);
}
END_TEST

/* What float16 and bfloat16 hold besides whole numbers, as operands. */
START_TEST(short_types_are_read_exactly)
{
    static const struct {
        cudaDataType type;
        uint16_t bits;
        float value;
    } cases[] = {
        {CUDA_R_16F, 0x0001, 0x1p-24f},  {CUDA_R_16F, 0x83ff, -0x1.ff8p-15f}, {CUDA_R_16F, 0x3c01, 1 + 0x1p-10f},
        {CUDA_R_16F, 0xfc00, -INFINITY}, {CUDA_R_16BF, 0x3f81, 1 + 0x1p-7f},  {CUDA_R_16BF, 0x0001, 0x1p-133f},
    };
    const float alpha = 1, beta = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint16_t one[4];
        float found;
        put(cases[i].type, one, 0, 1);
        void *a = device_copy(&cases[i].bits, 2), *b = device_copy(one, 2), *c = device_memory(4);
        GOOD(cublasGemmEx(blas, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, &alpha, a, cases[i].type, 1, b, cases[i].type, 1, &beta,
                          c, CUDA_R_32F, 1, CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT));
        fetch(&found, c, 4);
        ck_assert_msg(found == cases[i].value, "%04x: %a", cases[i].bits, (double)found);
    }
}
END_TEST

/* ---- the handle ---- */

START_TEST(settings_are_kept)
{
    cublasPointerMode_t pointers;
    cublasAtomicsMode_t atomics;
    cublasMath_t math;
    cudaStream_t found = NULL;
    int version = 0;
    GOOD(cublasGetVersion(blas, &version));
    ck_assert_int_eq(version, CUBLAS_VERSION);
    GOOD(cublasGetStream(blas, &found));
    ck_assert_ptr_eq(found, stream);
    GOOD(cublasGetPointerMode(blas, &pointers));
    ck_assert_int_eq(pointers, CUBLAS_POINTER_MODE_HOST);
    GOOD(cublasSetPointerMode(blas, CUBLAS_POINTER_MODE_DEVICE));
    GOOD(cublasGetPointerMode(blas, &pointers));
    ck_assert_int_eq(pointers, CUBLAS_POINTER_MODE_DEVICE);
    GOOD(cublasSetAtomicsMode(blas, CUBLAS_ATOMICS_ALLOWED));
    GOOD(cublasGetAtomicsMode(blas, &atomics));
    ck_assert_int_eq(atomics, CUBLAS_ATOMICS_ALLOWED);
    GOOD(cublasSetMathMode(blas, CUBLAS_PEDANTIC_MATH));
    GOOD(cublasGetMathMode(blas, &math));
    ck_assert_int_eq(math, CUBLAS_PEDANTIC_MATH);
    ck_assert_int_eq(cublasSetMathMode(blas, (cublasMath_t)5), CUBLAS_STATUS_INVALID_VALUE);
    ck_assert_int_eq(cublasCreate(NULL), CUBLAS_STATUS_INVALID_VALUE);
    ck_assert_int_eq(cublasGetVersion(blas, NULL), CUBLAS_STATUS_INVALID_VALUE);
    ck_assert_int_eq(cublasGetStream(blas, NULL), CUBLAS_STATUS_INVALID_VALUE);
    ck_assert_str_eq(cublasGetStatusName(CUBLAS_STATUS_NOT_SUPPORTED), "CUBLAS_STATUS_NOT_SUPPORTED");
    ck_assert_ptr_nonnull(strstr(cublasGetStatusString(CUBLAS_STATUS_ALLOC_FAILED), "allocation"));
}
END_TEST

START_TEST(scalars_in_device_memory)
{
    float scalars[2] = {2, 3}, c = 5, one = 1;
    float *ds = device_copy(scalars, sizeof scalars), *da = device_copy(&one, 4), *dc = device_copy(&c, 4);
    GOOD(cublasSetPointerMode(blas, CUBLAS_POINTER_MODE_DEVICE));
    GOOD(cublasSgemm(blas, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, ds, da, 1, da, 1, ds + 1, dc, 1));
    fetch(&c, dc, 4);
    ck_assert(c == 17);
}
END_TEST

/* Host scalars are read at the call, not when the work runs. */
START_TEST(scalars_in_host_memory_may_change_afterwards)
{
    float alpha = 2, beta = 0, one = 1, c;
    float *da = device_copy(&one, 4), *dc = device_memory(4);
    GOOD(cublasSgemm(blas, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, &alpha, da, 1, da, 1, &beta, dc, 1));
    alpha = beta = NAN;
    fetch(&c, dc, 4);
    ck_assert(c == 2);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("cudasim_cublas");
    TCase *products = tcase_create("products");
    tcase_add_checked_fixture(products, begin, end);
    tcase_set_timeout(products, 120);
    tcase_add_loop_test(products, products_of_every_type_and_layout, 0, (int)(sizeof kinds / sizeof *kinds));
    tcase_add_test(products, a_stride_of_zero_repeats_an_operand);
    tcase_add_test(products, no_inner_dimension_leaves_only_beta);
    tcase_add_test(products, nothing_to_do_is_nothing);
    suite_add_tcase(s, products);
    TCase *numbers = tcase_create("numbers");
    tcase_add_checked_fixture(numbers, begin, end);
    tcase_add_test(numbers, tf32_keeps_ten_bits);
    tcase_add_test(numbers, short_types_round_to_the_nearest);
    tcase_add_test(numbers, short_types_are_read_exactly);
    suite_add_tcase(s, numbers);
    TCase *handle = tcase_create("handle");
    tcase_add_checked_fixture(handle, begin, end);
    tcase_add_test(handle, settings_are_kept);
    tcase_add_test(handle, scalars_in_device_memory);
    tcase_add_test(handle, scalars_in_host_memory_may_change_afterwards);
    suite_add_tcase(s, handle);
    return s;
}

TEST_MAIN(suite)
