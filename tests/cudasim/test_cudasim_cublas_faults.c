/* SPDX-License-Identifier: Apache-2.0 */
/* Mistakes that the simulated cuBLAS must notice, each beside the same thing done well: by the library's status where it has
 * one, else as a fault. */
#include "libraries_support.h"

#include <cublas_v2.h>

static cublasHandle_t blas;
static float *a, *b, *c; /* 4 x 4 each, contiguous; C is not initialised */
static const float one = 1, zero = 0;

static void begin(void)
{
    float values[16];
    begin_support();
    for (int i = 0; i < 16; i++) {
        values[i] = small();
    }
    a = device_copy(values, sizeof values);
    b = device_copy(values, sizeof values);
    c = device_memory(sizeof values);
    GOOD(cublasCreate(&blas));
    GOOD(cublasSetStream(blas, stream));
}

static void end(void)
{
    GOOD(cublasDestroy(blas));
    end_support();
}

static cublasStatus_t multiply(const float *x, int ldx, const float *y, int ldy, float *z, int ldz)
{
    return cublasSgemm(blas, CUBLAS_OP_N, CUBLAS_OP_N, 4, 4, 4, &one, x, ldx, y, ldy, &zero, z, ldz);
}

/* Everything as it should be. */
static cublasStatus_t multiply_well(void)
{
    return multiply(a, 4, b, 4, c, 4);
}

START_TEST(bad_sizes_have_a_status)
{
    GOOD(multiply_well());
    ck_assert_int_eq(multiply(a, 3, b, 4, c, 4), CUBLAS_STATUS_INVALID_VALUE);
    ck_assert_int_eq(multiply(a, 4, b, 3, c, 4), CUBLAS_STATUS_INVALID_VALUE);
    ck_assert_int_eq(multiply(a, 4, b, 4, c, 3), CUBLAS_STATUS_INVALID_VALUE);
    ck_assert_int_eq(cublasSgemm(blas, CUBLAS_OP_N, CUBLAS_OP_N, -1, 4, 4, &one, a, 4, b, 4, &zero, c, 4),
                     CUBLAS_STATUS_INVALID_VALUE);
    ck_assert_int_eq(cublasSgemm(blas, CUBLAS_OP_N, CUBLAS_OP_N, 4, 4, 4, NULL, a, 4, b, 4, &zero, c, 4),
                     CUBLAS_STATUS_INVALID_VALUE);
    ck_assert_int_eq(cublasSgemm(blas, CUBLAS_OP_CONJG, CUBLAS_OP_N, 4, 4, 4, &one, a, 4, b, 4, &zero, c, 4),
                     CUBLAS_STATUS_INVALID_VALUE);
    ck_assert_int_eq(cublasSgemm(NULL, CUBLAS_OP_N, CUBLAS_OP_N, 4, 4, 4, &one, a, 4, b, 4, &zero, c, 4),
                     CUBLAS_STATUS_NOT_INITIALIZED);
    /* the leading dimension of a transposed operand is that of what is stored */
    GOOD(cublasSgemm(blas, CUBLAS_OP_T, CUBLAS_OP_N, 4, 4, 2, &one, a, 2, b, 2, &zero, c, 4));
    ck_assert_int_eq(cublasSgemm(blas, CUBLAS_OP_N, CUBLAS_OP_N, 4, 4, 2, &one, a, 2, b, 2, &zero, c, 4),
                     CUBLAS_STATUS_INVALID_VALUE);
}
END_TEST

static cublasStatus_t multiply_types(cudaDataType ta, cudaDataType tb, cudaDataType tc, cublasComputeType_t compute)
{
    return cublasGemmEx(blas, CUBLAS_OP_N, CUBLAS_OP_N, 2, 2, 2, &one, a, ta, 2, b, tb, 2, &zero, c, tc, 2, compute,
                        CUBLAS_GEMM_DEFAULT);
}

START_TEST(types_that_do_not_go_together_have_a_status)
{
    GOOD(multiply_types(CUDA_R_16BF, CUDA_R_16BF, CUDA_R_32F, CUBLAS_COMPUTE_32F));
    ck_assert_int_eq(multiply_types(CUDA_R_16BF, CUDA_R_32F, CUDA_R_32F, CUBLAS_COMPUTE_32F), CUBLAS_STATUS_NOT_SUPPORTED);
    ck_assert_int_eq(multiply_types(CUDA_R_16BF, CUDA_R_16BF, CUDA_R_16F, CUBLAS_COMPUTE_32F), CUBLAS_STATUS_NOT_SUPPORTED);
    ck_assert_int_eq(multiply_types(CUDA_R_32F, CUDA_R_32F, CUDA_R_16BF, CUBLAS_COMPUTE_32F), CUBLAS_STATUS_NOT_SUPPORTED);
    ck_assert_int_eq(multiply_types(CUDA_R_32F, CUDA_R_32F, CUDA_R_32F, CUBLAS_COMPUTE_16F), CUBLAS_STATUS_NOT_SUPPORTED);
    ck_assert_int_eq(multiply_types(CUDA_R_16BF, CUDA_R_16BF, CUDA_R_32F, CUBLAS_COMPUTE_32F_FAST_TF32),
                     CUBLAS_STATUS_NOT_SUPPORTED);
}
END_TEST

START_TEST(matrices_reach_no_further_than_their_memory)
{
    GOOD(multiply_well());
    FAULT("argument", multiply(a, 5, b, 4, c, 4));
    FAULT("argument", multiply(a, 4, b, 5, c, 4));
    FAULT("argument", multiply(a, 4, b, 4, c, 5));
    FAULT("argument", multiply(NULL, 4, b, 4, c, 4));
    float host[16] = {0};
    FAULT("argument", multiply(host, 4, b, 4, c, 4));
    const void *odd = (const char *)a + 2;
    FAULT("misaligned", cublasSgemm(blas, CUBLAS_OP_N, CUBLAS_OP_N, 2, 2, 2, &one, odd, 2, b, 2, &zero, c, 2));
    GOOD(cublasSgemmStridedBatched(blas, CUBLAS_OP_N, CUBLAS_OP_N, 2, 2, 2, &one, a, 2, 4, b, 2, 4, &zero, c, 2, 4, 4));
    FAULT("argument",
          cublasSgemmStridedBatched(blas, CUBLAS_OP_N, CUBLAS_OP_N, 2, 2, 2, &one, a, 2, 5, b, 2, 4, &zero, c, 2, 4, 4));
}
END_TEST

START_TEST(results_overlap_nothing)
{
    /* left and right halves of columns are no overlap, though they interleave in memory */
    float *both = device_memory(32 * sizeof(float));
    GOOD(cudaMemsetAsync(both, 0, 32 * sizeof(float), stream));
    GOOD(multiply(both, 8, b, 4, both + 4, 8));
    FAULT("argument", multiply(both, 8, b, 4, both + 3, 8));
    FAULT("argument", multiply(a, 4, both + 12, 4, both, 4));
    FAULT("argument", multiply(a, 4, b, 4, a, 4));
    GOOD(cublasSgemmStridedBatched(blas, CUBLAS_OP_N, CUBLAS_OP_N, 2, 2, 2, &one, a, 2, 4, b, 2, 4, &zero, c, 2, 4, 2));
    FAULT("argument",
          cublasSgemmStridedBatched(blas, CUBLAS_OP_N, CUBLAS_OP_N, 2, 2, 2, &one, a, 2, 4, b, 2, 4, &zero, c, 2, 3, 2));
    FAULT("argument",
          cublasSgemmStridedBatched(blas, CUBLAS_OP_N, CUBLAS_OP_N, 2, 2, 2, &one, a, 2, 4, b, 2, 4, &zero, c, 2, 0, 2));
}
END_TEST

START_TEST(scalars_are_where_the_mode_says)
{
    float *scalar = device_copy(&one, sizeof one);
    FAULT("argument", cublasSgemm(blas, CUBLAS_OP_N, CUBLAS_OP_N, 4, 4, 4, scalar, a, 4, b, 4, &zero, c, 4));
    FAULT("argument", cublasSgemm(blas, CUBLAS_OP_N, CUBLAS_OP_N, 4, 4, 4, &one, a, 4, b, 4, scalar, c, 4));
    GOOD(cublasSetPointerMode(blas, CUBLAS_POINTER_MODE_DEVICE));
    FAULT("argument", cublasSgemm(blas, CUBLAS_OP_N, CUBLAS_OP_N, 4, 4, 4, scalar, a, 4, b, 4, &zero, c, 4));
    float *fresh = device_memory(sizeof(float));
    CHECKED_FAULT("uninitialised read",
                  cublasSgemm(blas, CUBLAS_OP_N, CUBLAS_OP_N, 4, 4, 4, fresh, a, 4, b, 4, scalar, c, 4));
    GOOD(cudaMemsetAsync(c, 0, 16 * sizeof(float), stream));
    GOOD(cublasSgemm(blas, CUBLAS_OP_N, CUBLAS_OP_N, 4, 4, 4, scalar, a, 4, b, 4, scalar, c, 4));
}
END_TEST

START_TEST(operands_are_initialised)
{
    float *fresh[4];
    for (int i = 0; i < 4; i++) {
        fresh[i] = device_memory(16 * sizeof(float));
    }
    CHECKED_FAULT("uninitialised read", multiply(fresh[0], 4, b, 4, c, 4));
    CHECKED_FAULT("uninitialised read", multiply(a, 4, fresh[1], 4, c, 4));
    CHECKED_FAULT("uninitialised read",
                  cublasSgemm(blas, CUBLAS_OP_N, CUBLAS_OP_N, 4, 4, 4, &one, a, 4, b, 4, &one, fresh[2], 4));
    GOOD(cublasSgemm(blas, CUBLAS_OP_N, CUBLAS_OP_N, 4, 4, 4, &one, a, 4, b, 4, &zero, fresh[3], 4));
    GOOD(multiply(fresh[3], 4, b, 4, c, 4)); /* it has been written now */
}
END_TEST

START_TEST(operands_live)
{
    float *gone = device_memory(16 * sizeof(float));
    device_free(gone);
    FAULT("argument", multiply(gone, 4, b, 4, c, 4));
}
END_TEST

/* ---- workspace ---- */

START_TEST(a_workspace_is_aligned_device_memory)
{
    char *workspace = device_memory(8192);
    static char host[512] __attribute__((aligned(256)));
    ck_assert_int_eq(cublasSetWorkspace(blas, workspace + 16, 4096), CUBLAS_STATUS_INVALID_VALUE);
    FAULT("argument", cublasSetWorkspace(blas, host, sizeof host));
    FAULT("argument", cublasSetWorkspace(blas, workspace, 8193));
    GOOD(cublasSetWorkspace(blas, workspace, 8192));
    GOOD(multiply_well());
}
END_TEST

START_TEST(a_workspace_is_used_and_lives)
{
    unsigned char before[4096], after[4096];
    void *workspace = device_memory(sizeof before);
    memset(before, 7, sizeof before);
    GOOD(cudaMemcpy(workspace, before, sizeof before, cudaMemcpyHostToDevice));
    GOOD(cublasSetWorkspace(blas, workspace, sizeof before));
    GOOD(multiply_well());
    fetch(after, workspace, sizeof after);
    ck_assert(memcmp(before, after, sizeof before) != 0);
    device_free(workspace);
    FAULT("use after free", multiply_well());
}
END_TEST

/* Records one product; a launch that fails when recording still ends the recording. */
static cudaGraphExec_t record(void)
{
    cudaGraph_t graph = NULL;
    cudaGraphExec_t exec = NULL;
    GOOD(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
    multiply_well();
    GOOD(cudaStreamEndCapture(stream, &graph));
    GOOD(cudaGraphInstantiate(&exec, graph, 0));
    GOOD(cudaGraphDestroy(graph));
    return exec;
}

START_TEST(recording_needs_a_workspace)
{
    cudaGraphExec_t exec = NULL;
    void *workspace = device_memory(4096);
    FAULT("argument", exec = record());
    GOOD(cudaGraphExecDestroy(exec));
    GOOD(cublasSetWorkspace(blas, workspace, 4096));
    float before[16], after[16];
    GOOD(multiply_well());
    fetch(before, c, sizeof before);
    exec = record();
    GOOD(cudaMemsetAsync(c, 0, sizeof before, stream));
    GOOD(cudaGraphLaunch(exec, stream));
    fetch(after, c, sizeof after);
    ck_assert(memcmp(before, after, sizeof before) == 0);
    GOOD(cudaGraphExecDestroy(exec));
    GOOD(cublasSetStream(blas, stream)); /* forgets the workspace */
    FAULT("argument", exec = record());
    GOOD(cudaGraphExecDestroy(exec));
}
END_TEST

START_TEST(recorded_operands_live_when_they_run)
{
    void *workspace = device_memory(4096);
    GOOD(cublasSetWorkspace(blas, workspace, 4096));
    cudaGraphExec_t exec = record();
    GOOD(cudaGraphLaunch(exec, stream));
    GOOD(cudaStreamSynchronize(stream));
    device_free(b);
    FAULT("use after free", cudaGraphLaunch(exec, stream));
    GOOD(cudaGraphExecDestroy(exec));
}
END_TEST

/* ---- streams, handles, devices ---- */

static void two_products(bool ordered)
{
    cudaStream_t other;
    cudaEvent_t event;
    float *d = device_memory(16 * sizeof(float));
    GOOD(cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking));
    GOOD(cudaEventCreateWithFlags(&event, cudaEventDisableTiming));
    multiply_well();
    if (ordered) {
        GOOD(cudaEventRecord(event, stream));
        GOOD(cudaStreamWaitEvent(other, event, 0));
    }
    GOOD(cublasSetStream(blas, other));
    multiply(a, 4, c, 4, d, 4);
    cudaDeviceSynchronize();
    GOOD(cublasSetStream(blas, stream));
    cudaStreamDestroy(other);
    cudaEventDestroy(event);
}

START_TEST(streams_are_ordered_by_events_only)
{
    GOOD(cudaMemsetAsync(c, 0, 16 * sizeof(float), stream));
    two_products(true);
    CHECKED_FAULT("stream race", two_products(false));
}
END_TEST

START_TEST(handles_and_streams_live)
{
    cublasHandle_t gone;
    cudaStream_t ended;
    GOOD(cublasCreate(&gone));
    GOOD(cublasDestroy(gone));
    FAULT("argument", cublasSetStream(gone, stream));
    FAULT("argument", cublasSgemm(gone, CUBLAS_OP_N, CUBLAS_OP_N, 4, 4, 4, &one, a, 4, b, 4, &zero, c, 4));
    FAULT("argument", cublasDestroy(gone));
    GOOD(cudaStreamCreateWithFlags(&ended, cudaStreamNonBlocking));
    GOOD(cublasSetStream(blas, ended));
    GOOD(cudaStreamDestroy(ended));
    FAULT("argument", multiply_well());
    FAULT("argument", cublasSetStream(blas, ended));
    GOOD(cublasSetStream(blas, stream));
    GOOD(multiply_well());
}
END_TEST

START_TEST(the_device_is_the_handles)
{
    cudaStream_t other;
    cudasim_set_devices(2);
    GOOD(cudaSetDevice(1));
    FAULT("argument", multiply_well());
    GOOD(cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking));
    FAULT("argument", cublasSetStream(blas, other));
    GOOD(cudaStreamDestroy(other));
    GOOD(cudaSetDevice(0));
    GOOD(multiply_well());
}
END_TEST

START_TEST(a_handle_takes_memory)
{
    cublasHandle_t made = NULL;
    size_t before = cudasim_memory_used();
    cudasim_fail_allocation(0);
    ck_assert_int_eq(cublasCreate(&made), CUBLAS_STATUS_ALLOC_FAILED);
    ck_assert_ptr_null(made);
    cudasim_fail_allocation(-1);
    GOOD(cudaGetLastError());
    GOOD(cublasCreate(&made));
    ck_assert_uint_gt(cudasim_memory_used(), before);
    GOOD(cublasDestroy(made));
    ck_assert_uint_eq(cudasim_memory_used(), before);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("cudasim_cublas_faults");
    TCase *operands = tcase_create("operands");
    tcase_add_checked_fixture(operands, begin, end);
    tcase_add_test(operands, bad_sizes_have_a_status);
    tcase_add_test(operands, types_that_do_not_go_together_have_a_status);
    tcase_add_test(operands, matrices_reach_no_further_than_their_memory);
    tcase_add_test(operands, results_overlap_nothing);
    tcase_add_test(operands, scalars_are_where_the_mode_says);
    tcase_add_test(operands, operands_are_initialised);
    tcase_add_test(operands, operands_live);
    suite_add_tcase(s, operands);
    TCase *workspace = tcase_create("workspace");
    tcase_add_checked_fixture(workspace, begin, end);
    tcase_add_test(workspace, a_workspace_is_aligned_device_memory);
    tcase_add_test(workspace, a_workspace_is_used_and_lives);
    tcase_add_test(workspace, recording_needs_a_workspace);
    tcase_add_test(workspace, recorded_operands_live_when_they_run);
    suite_add_tcase(s, workspace);
    TCase *handles = tcase_create("handles");
    tcase_add_checked_fixture(handles, begin, end);
    tcase_add_test(handles, streams_are_ordered_by_events_only);
    tcase_add_test(handles, handles_and_streams_live);
    tcase_add_test(handles, the_device_is_the_handles);
    tcase_add_test(handles, a_handle_takes_memory);
    suite_add_tcase(s, handles);
    return s;
}

TEST_MAIN(suite)
