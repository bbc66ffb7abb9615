/* SPDX-License-Identifier: Apache-2.0 */
/* Failures of CUDA and its libraries as the library's statuses, with messages for the calling thread. */
#include "backend.h"

#include <stdarg.h>
#include <stdio.h>

enum { MESSAGE_BYTES = 512 };

cfd_status cuda_fail(const cuda_ops *c, cfd_status status, const char *format, ...)
{
    char text[MESSAGE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    c->host->set_message(text);
    return status;
}

/* Want of memory leaves the device usable; the runtime's note of it is taken back, so that it is not found by the host. */
cfd_status cuda_check(const cuda_ops *c, cudaError_t error, const char *what)
{
    if (error == cudaSuccess) {
        return CFD_OK;
    }
    (void)cudaGetLastError();
    if (error == cudaErrorMemoryAllocation) {
        return cuda_fail(c, CFD_ERROR_MEMORY, "%s: %s is out of memory", c->name, what);
    }
    return cuda_fail(c, CFD_ERROR_DEVICE, "%s: %s: %s (%s)", c->name, what, cudaGetErrorString(error),
                     cudaGetErrorName(error));
}

static cfd_status out_of_memory(const cuda_ops *c, const char *what, const char *library)
{
    return cuda_fail(c, CFD_ERROR_MEMORY, "%s: %s is out of memory for %s", c->name, library, what);
}

cfd_status cuda_check_blas(const cuda_ops *c, cublasStatus_t error, const char *what)
{
    if (error == CUBLAS_STATUS_SUCCESS) {
        return CFD_OK;
    }
    return error == CUBLAS_STATUS_ALLOC_FAILED
               ? out_of_memory(c, what, "cuBLAS")
               : cuda_fail(c, CFD_ERROR_DEVICE, "%s: %s: cuBLAS says %s", c->name, what, cublasGetStatusString(error));
}

cfd_status cuda_check_sparse(const cuda_ops *c, cusparseStatus_t error, const char *what)
{
    if (error == CUSPARSE_STATUS_SUCCESS) {
        return CFD_OK;
    }
    return error == CUSPARSE_STATUS_ALLOC_FAILED || error == CUSPARSE_STATUS_INSUFFICIENT_RESOURCES
               ? out_of_memory(c, what, "cuSPARSE")
               : cuda_fail(c, CFD_ERROR_DEVICE, "%s: %s: cuSPARSE says %s", c->name, what, cusparseGetErrorString(error));
}

cfd_status cuda_check_solver(const cuda_ops *c, cusolverStatus_t error, const char *what)
{
    if (error == CUSOLVER_STATUS_SUCCESS) {
        return CFD_OK;
    }
    return error == CUSOLVER_STATUS_ALLOC_FAILED
               ? out_of_memory(c, what, "cuSOLVER")
               : cuda_fail(c, CFD_ERROR_DEVICE, "%s: %s: cuSOLVER returned status %d", c->name, what, (int)error);
}
