/* SPDX-License-Identifier: Apache-2.0 */
/* The lock, and what the runtime says of failures: the last error of a thread, errors that stick, their names. */
#include "state.h"

namespace cudasim {

device_lock lock;
cudaError_t sticky_error = cudaSuccess;

void device_lock::lock()
{
    if (owner.load() != std::this_thread::get_id()) {
        mutex.lock();
        owner = std::this_thread::get_id();
    }
    depth++;
}

void device_lock::unlock()
{
    if (--depth == 0) {
        owner = std::thread::id();
        mutex.unlock();
    }
}

int device_lock::suspend()
{
    int was = depth;
    depth = 0;
    owner = std::thread::id();
    mutex.unlock();
    return was;
}

void device_lock::resume(int was)
{
    mutex.lock();
    owner = std::this_thread::get_id();
    depth = was;
}

host_thread &this_thread()
{
    static thread_local host_thread own;
    return own;
}

cudaError_t failed(cudaError_t error)
{
    if (error != cudaSuccess && error != cudaErrorNotReady) {
        this_thread().last = error;
    }
    return error;
}

api_call::api_call(const char *name) : hold(lock)
{
    if (this_thread().in_host_function) {
        violation("argument", "%s is called in a function that the device calls", name);
        error = failed(cudaErrorNotPermitted);
    } else if (sticky_error != cudaSuccess) {
        error = sticky_error;
    } else if (device_count == 0) {
        error = failed(cudaErrorNoDevice);
    }
}

void check_unseen(const char *call)
{
    std::string launch;
    launch.swap(this_thread().unseen);
    if (!launch.empty()) {
        violation("ignored error", "%s comes after %s, and nobody asked for that error", call, launch.c_str());
    }
}

} /* namespace cudasim */

using namespace cudasim;

extern "C" {

CUDASIM_PUBLIC cudaError_t cudaGetLastError(void)
{
    guard hold(lock);
    this_thread().unseen.clear();
    cudaError_t error = this_thread().last;
    this_thread().last = cudaSuccess;
    return sticky_error != cudaSuccess ? sticky_error : error;
}

CUDASIM_PUBLIC cudaError_t cudaPeekAtLastError(void)
{
    guard hold(lock);
    this_thread().unseen.clear();
    return sticky_error != cudaSuccess ? sticky_error : this_thread().last;
}

CUDASIM_PUBLIC const char *cudaGetErrorName(cudaError_t error)
{
#define CUDASIM_NAME(name, value, text) \
    case value: return #name;
    switch ((int)error) {
        CUDASIM_ERRORS(CUDASIM_NAME)
    }
    return "unrecognized error code";
#undef CUDASIM_NAME
}

CUDASIM_PUBLIC const char *cudaGetErrorString(cudaError_t error)
{
#define CUDASIM_TEXT(name, value, text) \
    case value: return text;
    switch ((int)error) {
        CUDASIM_ERRORS(CUDASIM_TEXT)
    }
    return "unrecognized error code";
#undef CUDASIM_TEXT
}

} /* extern "C" */
