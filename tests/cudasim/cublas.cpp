/* SPDX-License-Identifier: Apache-2.0 */
/* cuBLAS of the simulated device: handles and what can be set on them. The products are in cublas_gemm.cpp. */
#include "cublas_gemm.h"

using namespace cudasim;

namespace cudasim {

registry &cublas_handles = *new registry("cuBLAS handle");

} /* namespace cudasim */

#define CHECK_HANDLE(handle)                         \
    do {                                             \
        if (!cublas_handles.check(__func__, handle)) \
            return CUBLAS_STATUS_NOT_INITIALIZED;    \
    } while (0)

LIBRARY_API cublasStatus_t cublasCreate(cublasHandle_t *handle)
{
    if (handle == nullptr) {
        return CUBLAS_STATUS_INVALID_VALUE;
    }
    cublasContext *made = new cublasContext();
    if (!open_library(made)) {
        delete made;
        return CUBLAS_STATUS_ALLOC_FAILED;
    }
    cublas_handles.add(made);
    *handle = made;
    return CUBLAS_STATUS_SUCCESS;
}

LIBRARY_API cublasStatus_t cublasDestroy(cublasHandle_t handle)
{
    CHECK_HANDLE(handle);
    cublas_handles.remove(handle);
    close_library(handle);
    delete handle;
    return CUBLAS_STATUS_SUCCESS;
}

LIBRARY_API cublasStatus_t cublasGetVersion(cublasHandle_t handle, int *version)
{
    CHECK_HANDLE(handle);
    if (version == nullptr) {
        return CUBLAS_STATUS_INVALID_VALUE;
    }
    *version = CUBLAS_VERSION;
    return CUBLAS_STATUS_SUCCESS;
}

/* The workspace is forgotten, as in reality. */
LIBRARY_API cublasStatus_t cublasSetStream(cublasHandle_t handle, cudaStream_t stream)
{
    CHECK_HANDLE(handle);
    if (!check_stream(__func__, handle, stream)) {
        return CUBLAS_STATUS_INVALID_VALUE;
    }
    handle->stream = stream;
    handle->has_workspace = false;
    return CUBLAS_STATUS_SUCCESS;
}

LIBRARY_API cublasStatus_t cublasGetStream(cublasHandle_t handle, cudaStream_t *stream)
{
    CHECK_HANDLE(handle);
    if (stream == nullptr) {
        return CUBLAS_STATUS_INVALID_VALUE;
    }
    *stream = handle->stream;
    return CUBLAS_STATUS_SUCCESS;
}

LIBRARY_API cublasStatus_t cublasSetWorkspace(cublasHandle_t handle, void *workspace, size_t bytes)
{
    CHECK_HANDLE(handle);
    if ((uintptr_t)workspace % 256 != 0) {
        return CUBLAS_STATUS_INVALID_VALUE;
    }
    if (bytes > 0 && !is_device_memory(workspace, bytes)) {
        violation("argument", "%s: %p has not %zu bytes of device memory", __func__, workspace, bytes);
        return CUBLAS_STATUS_INVALID_VALUE;
    }
    handle->has_workspace = true;
    handle->workspace = workspace;
    handle->workspace_bytes = bytes;
    return CUBLAS_STATUS_SUCCESS;
}

LIBRARY_API cublasStatus_t cublasSetPointerMode(cublasHandle_t handle, cublasPointerMode_t mode)
{
    CHECK_HANDLE(handle);
    handle->scalars_on_device = mode == CUBLAS_POINTER_MODE_DEVICE;
    return CUBLAS_STATUS_SUCCESS;
}

LIBRARY_API cublasStatus_t cublasGetPointerMode(cublasHandle_t handle, cublasPointerMode_t *mode)
{
    CHECK_HANDLE(handle);
    *mode = handle->scalars_on_device ? CUBLAS_POINTER_MODE_DEVICE : CUBLAS_POINTER_MODE_HOST;
    return CUBLAS_STATUS_SUCCESS;
}

LIBRARY_API cublasStatus_t cublasSetAtomicsMode(cublasHandle_t handle, cublasAtomicsMode_t mode)
{
    CHECK_HANDLE(handle);
    handle->atomics = mode;
    return CUBLAS_STATUS_SUCCESS;
}

LIBRARY_API cublasStatus_t cublasGetAtomicsMode(cublasHandle_t handle, cublasAtomicsMode_t *mode)
{
    CHECK_HANDLE(handle);
    *mode = handle->atomics;
    return CUBLAS_STATUS_SUCCESS;
}

LIBRARY_API cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode)
{
    CHECK_HANDLE(handle);
    int kind = mode & ~CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION;
    if (kind != CUBLAS_DEFAULT_MATH && kind != CUBLAS_PEDANTIC_MATH && kind != CUBLAS_TF32_TENSOR_OP_MATH) {
        return CUBLAS_STATUS_INVALID_VALUE;
    }
    handle->math = mode;
    return CUBLAS_STATUS_SUCCESS;
}

LIBRARY_API cublasStatus_t cublasGetMathMode(cublasHandle_t handle, cublasMath_t *mode)
{
    CHECK_HANDLE(handle);
    *mode = handle->math;
    return CUBLAS_STATUS_SUCCESS;
}

static const struct {
    cublasStatus_t status;
    const char *name, *text;
} statuses[] = {
#define STATUS(status, text)  \
    {                         \
        status, #status, text \
    }
    STATUS(CUBLAS_STATUS_SUCCESS, "success"),
    STATUS(CUBLAS_STATUS_NOT_INITIALIZED, "the library was not initialized"),
    STATUS(CUBLAS_STATUS_ALLOC_FAILED, "the resource allocation failed"),
    STATUS(CUBLAS_STATUS_INVALID_VALUE, "an unsupported value or parameter was passed to the function"),
    STATUS(CUBLAS_STATUS_ARCH_MISMATCH, "the device lacks a feature"),
    STATUS(CUBLAS_STATUS_MAPPING_ERROR, "an access to GPU memory space failed"),
    STATUS(CUBLAS_STATUS_EXECUTION_FAILED, "the function failed to launch on the GPU"),
    STATUS(CUBLAS_STATUS_INTERNAL_ERROR, "an internal operation failed"),
    STATUS(CUBLAS_STATUS_NOT_SUPPORTED, "the functionality requested is not supported"),
    STATUS(CUBLAS_STATUS_LICENSE_ERROR, "there is a licensing issue"),
#undef STATUS
};

LIBRARY_API const char *cublasGetStatusName(cublasStatus_t status)
{
    for (const auto &s : statuses) {
        if (s.status == status) {
            return s.name;
        }
    }
    return "unknown status";
}

LIBRARY_API const char *cublasGetStatusString(cublasStatus_t status)
{
    for (const auto &s : statuses) {
        if (s.status == status) {
            return s.text;
        }
    }
    return "unknown status";
}
