/* SPDX-License-Identifier: Apache-2.0 */
/* cuSPARSE of the simulated device: handles and descriptors. The product is in cusparse_spmm.cpp. */
#include "cusparse_spmm.h"

#include <limits.h>

using namespace cudasim;

namespace cudasim {

registry &cusparse_handles = *new registry("cuSPARSE handle");
registry &sparse_matrices = *new registry("descriptor of a sparse matrix");
registry &dense_matrices = *new registry("descriptor of a dense matrix");

} /* namespace cudasim */

#define CHECK_HANDLE(handle)                           \
    do {                                               \
        if (!cusparse_handles.check(__func__, handle)) \
            return CUSPARSE_STATUS_NOT_INITIALIZED;    \
    } while (0)

/* ---- handles ---- */

LIBRARY_API cusparseStatus_t cusparseCreate(cusparseHandle_t *handle)
{
    if (handle == nullptr) {
        return CUSPARSE_STATUS_INVALID_VALUE;
    }
    cusparseContext *made = new cusparseContext();
    if (!open_library(made)) {
        delete made;
        return CUSPARSE_STATUS_ALLOC_FAILED;
    }
    cusparse_handles.add(made);
    *handle = made;
    return CUSPARSE_STATUS_SUCCESS;
}

LIBRARY_API cusparseStatus_t cusparseDestroy(cusparseHandle_t handle)
{
    CHECK_HANDLE(handle);
    cusparse_handles.remove(handle);
    close_library(handle);
    delete handle;
    return CUSPARSE_STATUS_SUCCESS;
}

LIBRARY_API cusparseStatus_t cusparseGetVersion(cusparseHandle_t handle, int *version)
{
    CHECK_HANDLE(handle);
    if (version == nullptr) {
        return CUSPARSE_STATUS_INVALID_VALUE;
    }
    *version = CUSPARSE_VERSION;
    return CUSPARSE_STATUS_SUCCESS;
}

LIBRARY_API cusparseStatus_t cusparseGetProperty(libraryPropertyType type, int *value)
{
    if (value == nullptr || type < MAJOR_VERSION || type > PATCH_LEVEL) {
        return CUSPARSE_STATUS_INVALID_VALUE;
    }
    static const int parts[] = {CUSPARSE_VER_MAJOR, CUSPARSE_VER_MINOR, CUSPARSE_VER_PATCH};
    *value = parts[type];
    return CUSPARSE_STATUS_SUCCESS;
}

LIBRARY_API cusparseStatus_t cusparseSetStream(cusparseHandle_t handle, cudaStream_t stream)
{
    CHECK_HANDLE(handle);
    if (!check_stream(__func__, handle, stream)) {
        return CUSPARSE_STATUS_INVALID_VALUE;
    }
    handle->stream = stream;
    return CUSPARSE_STATUS_SUCCESS;
}

LIBRARY_API cusparseStatus_t cusparseGetStream(cusparseHandle_t handle, cudaStream_t *stream)
{
    CHECK_HANDLE(handle);
    if (stream == nullptr) {
        return CUSPARSE_STATUS_INVALID_VALUE;
    }
    *stream = handle->stream;
    return CUSPARSE_STATUS_SUCCESS;
}

LIBRARY_API cusparseStatus_t cusparseSetPointerMode(cusparseHandle_t handle, cusparsePointerMode_t mode)
{
    CHECK_HANDLE(handle);
    handle->scalars_on_device = mode == CUSPARSE_POINTER_MODE_DEVICE;
    return CUSPARSE_STATUS_SUCCESS;
}

LIBRARY_API cusparseStatus_t cusparseGetPointerMode(cusparseHandle_t handle, cusparsePointerMode_t *mode)
{
    CHECK_HANDLE(handle);
    *mode = handle->scalars_on_device ? CUSPARSE_POINTER_MODE_DEVICE : CUSPARSE_POINTER_MODE_HOST;
    return CUSPARSE_STATUS_SUCCESS;
}

/* ---- descriptors ---- */

static bool fits(int64_t n, cusparseIndexType_t type)
{
    return n >= 0 && (type == CUSPARSE_INDEX_64I || (type == CUSPARSE_INDEX_32I && n <= INT_MAX));
}

LIBRARY_API
cusparseStatus_t cusparseCreateConstCsr(cusparseConstSpMatDescr_t *matrix, int64_t rows, int64_t columns, int64_t nonzeros,
                                        const void *offsets, const void *indices, const void *values,
                                        cusparseIndexType_t offset_type, cusparseIndexType_t index_type,
                                        cusparseIndexBase_t base, cudaDataType type)
{
    bool any = nonzeros > 0;
    if (matrix == nullptr || !fits(rows, index_type) || !fits(columns, index_type) || !fits(nonzeros, offset_type) ||
        (any && (rows == 0 || columns == 0 || (nonzeros - 1) / columns >= rows)) || (rows > 0 && offsets == nullptr) ||
        (any && (indices == nullptr || values == nullptr)) ||
        (base != CUSPARSE_INDEX_BASE_ZERO && base != CUSPARSE_INDEX_BASE_ONE)) {
        return CUSPARSE_STATUS_INVALID_VALUE;
    }
    cusparseSpMatDescr *made = new cusparseSpMatDescr{rows,
                                                      columns,
                                                      nonzeros,
                                                      offsets,
                                                      indices,
                                                      values,
                                                      offset_type,
                                                      index_type,
                                                      base,
                                                      type,
                                                      {},
                                                      nullptr,
                                                      CUSPARSE_SPMM_ALG_DEFAULT,
                                                      CUSPARSE_OPERATION_NON_TRANSPOSE};
    sparse_matrices.add(made);
    *matrix = made;
    return CUSPARSE_STATUS_SUCCESS;
}

LIBRARY_API cusparseStatus_t cusparseCreateCsr(cusparseSpMatDescr_t *matrix, int64_t rows, int64_t columns, int64_t nonzeros,
                                               void *offsets, void *indices, void *values, cusparseIndexType_t offset_type,
                                               cusparseIndexType_t index_type, cusparseIndexBase_t base, cudaDataType type)
{
    return cusparseCreateConstCsr((cusparseConstSpMatDescr_t *)matrix, rows, columns, nonzeros, offsets, indices, values,
                                  offset_type, index_type, base, type);
}

LIBRARY_API cusparseStatus_t cusparseDestroySpMat(cusparseConstSpMatDescr_t matrix)
{
    if (!sparse_matrices.check(__func__, matrix)) {
        return CUSPARSE_STATUS_INVALID_VALUE;
    }
    sparse_matrices.remove(matrix);
    delete matrix;
    return CUSPARSE_STATUS_SUCCESS;
}

LIBRARY_API
cusparseStatus_t cusparseCreateConstDnMat(cusparseConstDnMatDescr_t *matrix, int64_t rows, int64_t columns, int64_t ld,
                                          const void *values, cudaDataType type, cusparseOrder_t order)
{
    if (matrix == nullptr || rows < 0 || columns < 0 || (order != CUSPARSE_ORDER_COL && order != CUSPARSE_ORDER_ROW) ||
        ld < (order == CUSPARSE_ORDER_COL ? rows : columns) || (rows > 0 && columns > 0 && values == nullptr)) {
        return CUSPARSE_STATUS_INVALID_VALUE;
    }
    cusparseDnMatDescr *made = new cusparseDnMatDescr{rows, columns, ld, values, type, order};
    dense_matrices.add(made);
    *matrix = made;
    return CUSPARSE_STATUS_SUCCESS;
}

LIBRARY_API cusparseStatus_t cusparseCreateDnMat(cusparseDnMatDescr_t *matrix, int64_t rows, int64_t columns, int64_t ld,
                                                 void *values, cudaDataType type, cusparseOrder_t order)
{
    return cusparseCreateConstDnMat((cusparseConstDnMatDescr_t *)matrix, rows, columns, ld, values, type, order);
}

LIBRARY_API cusparseStatus_t cusparseDestroyDnMat(cusparseConstDnMatDescr_t matrix)
{
    if (!dense_matrices.check(__func__, matrix)) {
        return CUSPARSE_STATUS_INVALID_VALUE;
    }
    dense_matrices.remove(matrix);
    delete matrix;
    return CUSPARSE_STATUS_SUCCESS;
}

/* ---- names ---- */

static const struct {
    cusparseStatus_t status;
    const char *name, *text;
} statuses[] = {
#define STATUS(status, text)  \
    {                         \
        status, #status, text \
    }
    STATUS(CUSPARSE_STATUS_SUCCESS, "success"),
    STATUS(CUSPARSE_STATUS_NOT_INITIALIZED, "initialization error"),
    STATUS(CUSPARSE_STATUS_ALLOC_FAILED, "out of memory"),
    STATUS(CUSPARSE_STATUS_INVALID_VALUE, "invalid value"),
    STATUS(CUSPARSE_STATUS_ARCH_MISMATCH, "architecture mismatch"),
    STATUS(CUSPARSE_STATUS_MAPPING_ERROR, "access to memory failed"),
    STATUS(CUSPARSE_STATUS_EXECUTION_FAILED, "kernel launch failure"),
    STATUS(CUSPARSE_STATUS_INTERNAL_ERROR, "internal error"),
    STATUS(CUSPARSE_STATUS_MATRIX_TYPE_NOT_SUPPORTED, "matrix type not supported"),
    STATUS(CUSPARSE_STATUS_ZERO_PIVOT, "zero pivot"),
    STATUS(CUSPARSE_STATUS_NOT_SUPPORTED, "operation not supported"),
    STATUS(CUSPARSE_STATUS_INSUFFICIENT_RESOURCES, "insufficient resources"),
#undef STATUS
};

LIBRARY_API const char *cusparseGetErrorName(cusparseStatus_t status)
{
    for (const auto &s : statuses) {
        if (s.status == status) {
            return s.name;
        }
    }
    return "unrecognized error code";
}

LIBRARY_API const char *cusparseGetErrorString(cusparseStatus_t status)
{
    for (const auto &s : statuses) {
        if (s.status == status) {
            return s.text;
        }
    }
    return "unrecognized error code";
}
