/* SPDX-License-Identifier: Apache-2.0 */
/* Between the parts of the simulated cuSPARSE. */
#ifndef CUDASIM_CUSPARSE_SPMM_H
#define CUDASIM_CUSPARSE_SPMM_H

#include "libraries.h"

#include <cusparse.h>

#include <vector>

struct cusparseContext : cudasim::library_handle {};

namespace cudasim {

/* What cusparseSpMM_bufferSize was asked for. */
struct spmm_question {
    cusparseSpMMAlg_t algorithm;
    cusparseOperation_t op_b;
    int64_t columns;
    cusparseOrder_t order_b, order_c;
    bool operator==(const spmm_question &other) const = default;
};

} /* namespace cudasim */

struct cusparseSpMatDescr {
    int64_t rows, columns, nonzeros;
    const void *offsets, *indices, *values;
    cusparseIndexType_t offset_type, index_type;
    cusparseIndexBase_t base;
    cudaDataType type;

    mutable std::vector<cudasim::spmm_question> questions;
    mutable const void *active; /* the buffer that was prepared last, NULL: none; for this algorithm and operation */
    mutable cusparseSpMMAlg_t active_algorithm;
    mutable cusparseOperation_t active_op_b;
};

struct cusparseDnMatDescr {
    int64_t rows, columns, ld;
    const void *values;
    cudaDataType type;
    cusparseOrder_t order;
};

namespace cudasim {

extern registry &cusparse_handles, &sparse_matrices, &dense_matrices;

/* A call of cusparseSpMM, or of one of its two companions. */
struct spmm_call {
    const char *name;
    cusparseHandle_t handle;
    cusparseOperation_t op_a, op_b;
    const void *alpha, *beta;
    const cusparseSpMatDescr *a;
    const cusparseDnMatDescr *b, *c;
    cudaDataType compute;
    cusparseSpMMAlg_t algorithm;
    void *buffer;

    int64_t columns() const { return c->columns; }
    spmm_question question() const { return {algorithm, op_b, c->columns, b->order, c->order}; }
    bool is_active() const { return a->active != nullptr && a->active == buffer; }
};

size_t spmm_buffer_bytes(const spmm_call &call);

/* A dense matrix by the distances, in elements, of its rows and columns. */
struct spmm_dense {
    const float *data;
    int64_t by_row, by_column;
};

/* What the work knows; nothing of it is a descriptor, which may be gone by then. */
struct spmm_work {
    const char *name;
    int64_t rows, inner, columns, nonzeros;
    const void *offsets, *indices;
    const float *values;
    bool wide; /* indices of 64 bits */
    spmm_dense b, c;
    scalar alpha, beta;
    bool any_order; /* sums run in an order that nobody can rely on */
    char *buffer;
    size_t buffer_bytes;
    bool prepared;
};

void spmm_multiply(spmm_work work);
/* What cusparseSpMM_preprocess leaves in the buffer. */
void spmm_prepare(spmm_work work);

} /* namespace cudasim */

#endif
