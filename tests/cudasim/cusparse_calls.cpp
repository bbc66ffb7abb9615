/* SPDX-License-Identifier: Apache-2.0 */
/* cusparseSpMM of the simulated device and its two companions: what is checked at the call. */
#include "cusparse_spmm.h"

#include <algorithm>

using namespace cudasim;

namespace cudasim {

/* Not what the library takes, but like it: it depends on the algorithm, the rows and the columns. */
size_t spmm_buffer_bytes(const spmm_call &call)
{
    size_t bytes = 256 + 16 * (size_t)call.a->rows + 64 * (size_t)call.columns();
    if (call.algorithm == CUSPARSE_SPMM_CSR_ALG3) {
        bytes += 512 + 8 * (size_t)call.a->rows;
    }
    return (bytes + 127) / 128 * 128;
}

/* ---- statuses ---- */

static bool is_algorithm(cusparseSpMMAlg_t algorithm)
{
    return algorithm == CUSPARSE_SPMM_ALG_DEFAULT || algorithm == CUSPARSE_SPMM_CSR_ALG1 ||
           algorithm == CUSPARSE_SPMM_CSR_ALG2 || algorithm == CUSPARSE_SPMM_CSR_ALG3;
}

static cusparseStatus_t check_values(const spmm_call &call)
{
    const char *name = call.name;
    if (!cusparse_handles.check(name, call.handle)) {
        return CUSPARSE_STATUS_NOT_INITIALIZED;
    }
    if (!sparse_matrices.check(name, call.a) || !dense_matrices.check(name, call.b) || !dense_matrices.check(name, call.c) ||
        call.alpha == nullptr || call.beta == nullptr) {
        return CUSPARSE_STATUS_INVALID_VALUE;
    }
    bool straight = call.op_b == CUSPARSE_OPERATION_NON_TRANSPOSE;
    if (call.a->columns != (straight ? call.b->rows : call.b->columns) || call.a->rows != call.c->rows ||
        call.c->columns != (straight ? call.b->columns : call.b->rows)) {
        return CUSPARSE_STATUS_INVALID_VALUE;
    }
    if (call.op_a != CUSPARSE_OPERATION_NON_TRANSPOSE || call.op_b == CUSPARSE_OPERATION_CONJUGATE_TRANSPOSE ||
        call.a->offset_type != call.a->index_type || call.a->base != CUSPARSE_INDEX_BASE_ZERO ||
        call.a->type != CUDA_R_32F || call.b->type != CUDA_R_32F || call.c->type != CUDA_R_32F ||
        call.compute != CUDA_R_32F || !is_algorithm(call.algorithm)) {
        return CUSPARSE_STATUS_NOT_SUPPORTED;
    }
    return CUSPARSE_STATUS_SUCCESS;
}

/* ---- memory ---- */

static runs runs_of(const cusparseDnMatDescr *x)
{
    bool by_rows = x->order == CUSPARSE_ORDER_ROW;
    return {(const char *)x->values, by_rows ? x->rows : x->columns, x->ld * (int64_t)sizeof(float),
            (size_t)(by_rows ? x->columns : x->rows) * sizeof(float)};
}

static runs run_of(const void *from, int64_t count, size_t element)
{
    return {(const char *)from, 1, 0, (size_t)count * element};
}

static bool check_buffer(const spmm_call &call)
{
    const auto &asked = call.a->questions;
    if (std::find(asked.begin(), asked.end(), call.question()) == asked.end()) {
        violation("argument", "%s: cusparseSpMM_bufferSize was not asked for this algorithm, operation, order and columns",
                  call.name);
        return false;
    }
    if ((uintptr_t)call.buffer % 128 != 0) {
        violation("misaligned", "%s: the buffer is %p, not aligned to 128 bytes", call.name, call.buffer);
        return false;
    }
    return true;
}

static bool check_memory(const spmm_call &call)
{
    size_t index = call.a->index_type == CUSPARSE_INDEX_64I ? 8 : 4;
    const struct {
        const char *name;
        runs where;
        size_t alignment;
    } parts[] = {
        {"C", runs_of(call.c), sizeof(float)},
        {"the buffer", run_of(call.buffer, (int64_t)spmm_buffer_bytes(call), 1), 1},
        {"B", runs_of(call.b), sizeof(float)},
        {"A's offsets", run_of(call.a->offsets, call.a->rows + 1, index), index},
        {"A's indices", run_of(call.a->indices, call.a->nonzeros, index), index},
        {"A's values", run_of(call.a->values, call.a->nonzeros, sizeof(float)), sizeof(float)},
    };
    for (const auto &part : parts) {
        if (!part.where.check(call.name, part.name, part.alignment)) {
            return false;
        }
    }
    for (int written = 0; written < 2; written++) {
        for (int other = written + 1; other < 6; other++) {
            if (parts[written].where.overlaps(parts[other].where)) {
                violation("argument", "%s: %s overlaps %s", call.name, parts[written].name, parts[other].name);
                return false;
            }
        }
    }
    return true;
}

/* The active buffer belongs to what it was prepared for. */
static bool check_active(const spmm_call &call)
{
    if (call.is_active() && (call.a->active_algorithm != call.algorithm || call.a->active_op_b != call.op_b)) {
        violation("argument", "%s: the buffer was prepared for another algorithm or operation", call.name);
        return false;
    }
    return true;
}

static bool take_work(const spmm_call &call, spmm_work *work)
{
    bool b_straight = call.op_b == CUSPARSE_OPERATION_NON_TRANSPOSE, b_rows = call.b->order == CUSPARSE_ORDER_ROW;
    bool b_by_row = b_rows == b_straight, c_by_row = call.c->order == CUSPARSE_ORDER_ROW;
    work->name = call.name;
    work->rows = call.a->rows;
    work->inner = call.a->columns;
    work->columns = call.columns();
    work->nonzeros = call.a->nonzeros;
    work->offsets = call.a->offsets;
    work->indices = call.a->indices;
    work->values = (const float *)call.a->values;
    work->wide = call.a->index_type == CUSPARSE_INDEX_64I;
    work->b = {(const float *)call.b->values, b_by_row ? call.b->ld : 1, b_by_row ? 1 : call.b->ld};
    work->c = {(const float *)call.c->values, c_by_row ? call.c->ld : 1, c_by_row ? 1 : call.c->ld};
    work->any_order = call.algorithm != CUSPARSE_SPMM_CSR_ALG3;
    work->buffer = (char *)call.buffer;
    work->buffer_bytes = spmm_buffer_bytes(call);
    work->prepared = call.is_active();
    return take_scalar(call.name, "alpha", call.handle, call.alpha, false, &work->alpha) &&
           take_scalar(call.name, "beta", call.handle, call.beta, false, &work->beta);
}

static cusparseStatus_t start(const spmm_call &call, void (*what)(spmm_work))
{
    cusparseStatus_t status = check_values(call);
    if (status != CUSPARSE_STATUS_SUCCESS) {
        return status;
    }
    spmm_work work;
    if (!check_ready(call.name, call.handle)) {
        return CUSPARSE_STATUS_EXECUTION_FAILED;
    }
    if (call.a->rows == 0 || call.columns() == 0) {
        return CUSPARSE_STATUS_SUCCESS;
    }
    if (!check_buffer(call) || !check_memory(call) || !check_active(call) || !take_work(call, &work)) {
        return CUSPARSE_STATUS_EXECUTION_FAILED;
    }
    return submit(call.handle, call.name, [=] { what(work); }) ? CUSPARSE_STATUS_SUCCESS : CUSPARSE_STATUS_EXECUTION_FAILED;
}

} /* namespace cudasim */

/* ---- the interface ---- */

LIBRARY_API
cusparseStatus_t cusparseSpMM_bufferSize(cusparseHandle_t handle, cusparseOperation_t op_a, cusparseOperation_t op_b,
                                         const void *alpha, cusparseConstSpMatDescr_t a, cusparseConstDnMatDescr_t b,
                                         const void *beta, cusparseDnMatDescr_t c, cudaDataType compute,
                                         cusparseSpMMAlg_t algorithm, size_t *bytes)
{
    spmm_call call = {__func__, handle, op_a, op_b, alpha, beta, a, b, c, compute, algorithm, nullptr};
    if (bytes == nullptr) {
        return CUSPARSE_STATUS_INVALID_VALUE;
    }
    cusparseStatus_t status = check_values(call);
    if (status != CUSPARSE_STATUS_SUCCESS) {
        return status;
    }
    a->questions.push_back(call.question());
    *bytes = spmm_buffer_bytes(call);
    return CUSPARSE_STATUS_SUCCESS;
}

LIBRARY_API
cusparseStatus_t cusparseSpMM_preprocess(cusparseHandle_t handle, cusparseOperation_t op_a, cusparseOperation_t op_b,
                                         const void *alpha, cusparseConstSpMatDescr_t a, cusparseConstDnMatDescr_t b,
                                         const void *beta, cusparseDnMatDescr_t c, cudaDataType compute,
                                         cusparseSpMMAlg_t algorithm, void *buffer)
{
    spmm_call call = {__func__, handle, op_a, op_b, alpha, beta, a, b, c, compute, algorithm, buffer};
    if (sparse_matrices.has(a)) {
        a->active = nullptr;
    }
    cusparseStatus_t status = start(call, spmm_prepare);
    if (status == CUSPARSE_STATUS_SUCCESS) {
        a->active = buffer;
        a->active_algorithm = algorithm;
        a->active_op_b = op_b;
    }
    return status;
}

LIBRARY_API cusparseStatus_t cusparseSpMM(cusparseHandle_t handle, cusparseOperation_t op_a, cusparseOperation_t op_b,
                                          const void *alpha, cusparseConstSpMatDescr_t a, cusparseConstDnMatDescr_t b,
                                          const void *beta, cusparseDnMatDescr_t c, cudaDataType compute,
                                          cusparseSpMMAlg_t algorithm, void *buffer)
{
    return start({__func__, handle, op_a, op_b, alpha, beta, a, b, c, compute, algorithm, buffer}, spmm_multiply);
}
