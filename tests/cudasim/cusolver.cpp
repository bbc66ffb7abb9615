/* SPDX-License-Identifier: Apache-2.0 */
/* cuSOLVER of the simulated device: handles, and the eigenvalues of many symmetric matrices. The method is in
 * cusolver_jacobi.cpp. */
#include "cusolver_jacobi.h"
#include "libraries.h"

#include <cusolverDn.h>

#include <math.h>
#include <string.h>
#include <string>

using namespace cudasim;

struct cusolverDnContext : library_handle {};

struct syevjInfo {
    jacobi_settings settings;
};

static registry &handles = *new registry("cuSOLVER handle");
static registry &infos = *new registry("syevjInfo");

#define CHECK_HANDLE(handle)                        \
    do {                                            \
        if (!handles.check(__func__, handle))       \
            return CUSOLVER_STATUS_NOT_INITIALIZED; \
    } while (0)
#define CHECK_INFO(info)                          \
    do {                                          \
        if (!infos.check(__func__, info))         \
            return CUSOLVER_STATUS_INVALID_VALUE; \
    } while (0)

/* ---- handles ---- */

LIBRARY_API cusolverStatus_t cusolverGetVersion(int *version)
{
    if (version == nullptr) {
        return CUSOLVER_STATUS_INVALID_VALUE;
    }
    *version = CUSOLVER_VERSION;
    return CUSOLVER_STATUS_SUCCESS;
}

LIBRARY_API cusolverStatus_t cusolverGetProperty(libraryPropertyType type, int *value)
{
    if (value == nullptr || type < MAJOR_VERSION || type > PATCH_LEVEL) {
        return CUSOLVER_STATUS_INVALID_VALUE;
    }
    static const int parts[] = {CUSOLVER_VER_MAJOR, CUSOLVER_VER_MINOR, CUSOLVER_VER_PATCH};
    *value = parts[type];
    return CUSOLVER_STATUS_SUCCESS;
}

LIBRARY_API cusolverStatus_t cusolverDnCreate(cusolverDnHandle_t *handle)
{
    if (handle == nullptr) {
        return CUSOLVER_STATUS_INVALID_VALUE;
    }
    cusolverDnContext *made = new cusolverDnContext();
    if (!open_library(made)) {
        delete made;
        return CUSOLVER_STATUS_ALLOC_FAILED;
    }
    handles.add(made);
    *handle = made;
    return CUSOLVER_STATUS_SUCCESS;
}

LIBRARY_API cusolverStatus_t cusolverDnDestroy(cusolverDnHandle_t handle)
{
    CHECK_HANDLE(handle);
    handles.remove(handle);
    close_library(handle);
    delete handle;
    return CUSOLVER_STATUS_SUCCESS;
}

LIBRARY_API cusolverStatus_t cusolverDnSetStream(cusolverDnHandle_t handle, cudaStream_t stream)
{
    CHECK_HANDLE(handle);
    if (!check_stream(__func__, handle, stream)) {
        return CUSOLVER_STATUS_INVALID_VALUE;
    }
    handle->stream = stream;
    return CUSOLVER_STATUS_SUCCESS;
}

LIBRARY_API cusolverStatus_t cusolverDnGetStream(cusolverDnHandle_t handle, cudaStream_t *stream)
{
    CHECK_HANDLE(handle);
    if (stream == nullptr) {
        return CUSOLVER_STATUS_INVALID_VALUE;
    }
    *stream = handle->stream;
    return CUSOLVER_STATUS_SUCCESS;
}

/* ---- settings of Jacobi's method ---- */

LIBRARY_API cusolverStatus_t cusolverDnCreateSyevjInfo(syevjInfo_t *info)
{
    if (info == nullptr) {
        return CUSOLVER_STATUS_INVALID_VALUE;
    }
    *info = new syevjInfo();
    infos.add(*info);
    return CUSOLVER_STATUS_SUCCESS;
}

LIBRARY_API cusolverStatus_t cusolverDnDestroySyevjInfo(syevjInfo_t info)
{
    CHECK_INFO(info);
    infos.remove(info);
    delete info;
    return CUSOLVER_STATUS_SUCCESS;
}

LIBRARY_API cusolverStatus_t cusolverDnXsyevjSetTolerance(syevjInfo_t info, double tolerance)
{
    CHECK_INFO(info);
    info->settings.tolerance = tolerance;
    return CUSOLVER_STATUS_SUCCESS;
}

LIBRARY_API cusolverStatus_t cusolverDnXsyevjSetMaxSweeps(syevjInfo_t info, int sweeps)
{
    CHECK_INFO(info);
    info->settings.most_sweeps = sweeps;
    return CUSOLVER_STATUS_SUCCESS;
}

LIBRARY_API cusolverStatus_t cusolverDnXsyevjSetSortEig(syevjInfo_t info, int sort)
{
    CHECK_INFO(info);
    info->settings.sort = sort != 0;
    return CUSOLVER_STATUS_SUCCESS;
}

/* ---- eigenvalues ---- */

template <class T> struct syevj {
    const char *name;
    cusolverDnHandle_t handle;
    cusolverEigMode_t mode;
    cublasFillMode_t uplo;
    int n;
    T *a;
    int lda;
    T *w, *work;
    int lwork;
    int *info;
    syevjInfo_t params;
    int count;
};

/* Not what the library takes, but as large. */
template <class T> static int64_t work_size(const syevj<T> &call)
{
    return (int64_t)call.count * (2 * (int64_t)call.n * call.n + call.n) + 32;
}

template <class T> static cusolverStatus_t check_values(const syevj<T> &call)
{
    if (!handles.check(call.name, call.handle)) {
        return CUSOLVER_STATUS_NOT_INITIALIZED;
    }
    bool good = infos.check(call.name, call.params) &&
                (call.mode == CUSOLVER_EIG_MODE_NOVECTOR || call.mode == CUSOLVER_EIG_MODE_VECTOR) &&
                (call.uplo == CUBLAS_FILL_MODE_LOWER || call.uplo == CUBLAS_FILL_MODE_UPPER) && call.n >= 0 &&
                call.count >= 0 && call.lda >= (call.n > 1 ? call.n : 1) && work_size(call) <= 0x7fffffff;
    return good ? CUSOLVER_STATUS_SUCCESS : CUSOLVER_STATUS_INVALID_VALUE;
}

/* Those of `count` matrices from the first on. */
template <class T> static runs columns_of(const syevj<T> &call, int first, int count)
{
    const T *from = call.a + (int64_t)first * call.n * call.lda;
    return {(const char *)from, (int64_t)call.n * count, call.lda * (int64_t)sizeof(T), (size_t)call.n * sizeof(T)};
}

template <class T> static bool check_memory(const syevj<T> &call)
{
    const struct {
        const char *name;
        runs where;
        size_t alignment;
    } parts[] = {
        {"A", columns_of(call, 0, call.count), sizeof(T)},
        {"W", {(const char *)call.w, 1, 0, (size_t)call.n * (size_t)call.count * sizeof(T)}, sizeof(T)},
        {"work", {(const char *)call.work, 1, 0, (size_t)call.lwork * sizeof(T)}, sizeof(T)},
        {"info", {(const char *)call.info, 1, 0, (size_t)call.count * sizeof(int)}, sizeof(int)},
    };
    for (const auto &part : parts) {
        if (!part.where.check(call.name, part.name, part.alignment)) {
            return false;
        }
        for (const auto *other = parts; other != &part; other++) {
            if (part.where.overlaps(other->where)) {
                violation("argument", "%s: %s overlaps %s", call.name, part.name, other->name);
                return false;
            }
        }
    }
    return true;
}

/* The triangle that is asked for, mirrored. False where it may not be read. */
template <class T> static bool read_matrix(const syevj<T> &call, int k, const std::string &name, std::vector<double> &full)
{
    size_t n = (size_t)call.n;
    bool lower = call.uplo == CUBLAS_FILL_MODE_LOWER;
    full.assign(n * n, 0.0);
    for (size_t j = 0; j < n; j++) {
        const T *column = call.a + ((size_t)k * n + j) * (size_t)call.lda;
        size_t begin = lower ? j : 0, end = lower ? n : j + 1;
        if (!device_read(column + begin, (end - begin) * sizeof(T), name.c_str())) {
            return false;
        }
        for (size_t i = begin; i < end; i++) {
            full[i * n + j] = full[j * n + i] = (double)column[i];
        }
    }
    return true;
}

/* As good as random, but the same for the same matrix: the real library gives the same bits every time. */
static double sign_of(double value, size_t j)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (bits * UINT64_C(0x9E3779B97F4A7C15) >> 40 ^ j) & 1 ? -1.0 : 1.0;
}

template <class T> static bool solve_one(const syevj<T> &call, const jacobi_settings &settings, int k)
{
    size_t n = (size_t)call.n;
    std::string name = std::string(call.name) + ": A";
    std::vector<double> full, vectors, values;
    if (!read_matrix(call, k, name, full)) {
        return false;
    }
    if (!columns_of(call, k, 1).writable(name.c_str())) {
        return false;
    }
    bool converged = jacobi(call.n, full, settings, values, vectors);
    for (size_t j = 0; j < n; j++) {
        T *column = call.a + ((size_t)k * n + j) * (size_t)call.lda;
        double sign = sign_of(values[j], j); /* either is an eigenvector */
        bool keep = call.mode == CUSOLVER_EIG_MODE_VECTOR;
        for (size_t i = 0; i < n; i++) {
            column[i] = keep ? (T)(sign * vectors[i * n + j]) : (T)NAN; /* without vectors A is destroyed */
        }
        call.w[(size_t)k * n + j] = (T)values[j];
    }
    call.info[k] = converged ? 0 : call.n + 1;
    return true;
}

template <class T> static void solve(const syevj<T> &call, jacobi_settings settings)
{
    std::string name = call.name;
    if (settings.tolerance <= 0) {
        settings.tolerance = sizeof(T) == sizeof(float) ? 0x1p-23 : 0x1p-52;
    }
    if (!scribble(call.work, (size_t)call.lwork * sizeof(T), (name + ": work").c_str()) ||
        !device_write(call.w, (size_t)call.n * (size_t)call.count * sizeof(T), (name + ": W").c_str()) ||
        !device_write(call.info, (size_t)call.count * sizeof(int), (name + ": info").c_str())) {
        return;
    }
    for (int k = 0; k < call.count; k++) {
        if (!solve_one(call, settings, k)) {
            return;
        }
    }
}

template <class T> static cusolverStatus_t size(const syevj<T> &call, int *lwork)
{
    cusolverStatus_t status = check_values(call);
    if (status == CUSOLVER_STATUS_SUCCESS && lwork == nullptr) {
        status = CUSOLVER_STATUS_INVALID_VALUE;
    }
    if (status == CUSOLVER_STATUS_SUCCESS) {
        *lwork = (int)work_size(call);
    }
    return status;
}

template <class T> static cusolverStatus_t start(const syevj<T> &call)
{
    cusolverStatus_t status = check_values(call);
    if (status != CUSOLVER_STATUS_SUCCESS) {
        return status;
    }
    if (call.lwork < work_size(call)) {
        return CUSOLVER_STATUS_INVALID_VALUE;
    }
    if (!check_ready(call.name, call.handle)) {
        return CUSOLVER_STATUS_EXECUTION_FAILED;
    }
    if (call.n == 0 || call.count == 0) {
        return CUSOLVER_STATUS_SUCCESS;
    }
    if (!check_memory(call)) {
        return CUSOLVER_STATUS_EXECUTION_FAILED;
    }
    jacobi_settings settings = call.params->settings;
    return submit(call.handle, call.name, [=] { solve(call, settings); }) ? CUSOLVER_STATUS_SUCCESS
                                                                          : CUSOLVER_STATUS_EXECUTION_FAILED;
}

/* ---- the interface ---- */

#define DEFINE_SYEVJ(function, T)                                                                                          \
    LIBRARY_API CUDASIM_SYEVJ_SIZE(function##_bufferSize, T)                                                               \
    {                                                                                                                      \
        return size<T>({__func__, handle, mode, uplo, n, const_cast<T *>(a), lda, const_cast<T *>(w), nullptr, 0, nullptr, \
                        params, count},                                                                                    \
                       lwork);                                                                                             \
    }                                                                                                                      \
    LIBRARY_API CUDASIM_SYEVJ(function, T)                                                                                 \
    {                                                                                                                      \
        return start<T>({__func__, handle, mode, uplo, n, a, lda, w, work, lwork, info, params, count});                   \
    }

DEFINE_SYEVJ(cusolverDnSsyevjBatched, float)
DEFINE_SYEVJ(cusolverDnDsyevjBatched, double)
