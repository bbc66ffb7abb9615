/* SPDX-License-Identifier: Apache-2.0 */
/* What the simulated cuBLAS, cuSPARSE and cuSOLVER share: handles that are checked, scalars in host or device memory, and
 * pieces of matrices that are checked against allocations and against each other. */
#ifndef CUDASIM_LIBRARIES_H
#define CUDASIM_LIBRARIES_H

#include "cudasim.h"
#include "sim.h"

#include <cuda_runtime.h>
#include <library_types.h>

#include <mutex>
#include <set>

#define LIBRARY_API extern "C" __attribute__((visibility("default")))

namespace cudasim {

/* A number below n, from the seed (the runtime's). */
unsigned chance(unsigned n);

/* Objects of one kind that a program made and has not destroyed. The pointers are kept in disguise: an object that a program
 * loses is a leak to a leak checker. */
class registry {
public:
    explicit registry(const char *kind) : kind(kind) {}
    void add(const void *object);
    bool remove(const void *object);
    bool has(const void *object);
    /* Whether it lives; a fault where it does not, unless it is NULL, for which libraries have a status. */
    bool check(const char *call, const void *object);

private:
    const char *kind;
    std::mutex guard;
    std::set<uintptr_t> objects;
};

/* What a library's handle begins with. Making one allocates device memory, as it does in reality. */
struct library_handle {
    cudaStream_t stream;
    int device;
    void *memory;
    bool scalars_on_device;
};

/* False where there is no memory. */
bool open_library(library_handle *handle);
/* Waits for the device. */
void close_library(library_handle *handle);
/* Is it a stream of the handle's device? A fault where not. */
bool check_stream(const char *call, const library_handle *handle, cudaStream_t stream);
/* What a computing call checks first: the current device is the handle's, and its stream is alive. */
bool check_ready(const char *call, const library_handle *handle);
bool is_capturing(const library_handle *handle);
/* Counts the call and queues its work. */
bool submit(const library_handle *handle, const char *call, std::function<void()> work);

/* alpha or beta: read at the call, or from device memory when the work runs. */
struct scalar {
    const void *device; /* NULL: `value` has been read */
    bool wide;          /* double, not float */
    double value;
    /* False, and a fault, where device memory cannot be read. */
    bool load(const char *what);
};
/* False, and a fault, where the pointer is not what the handle's pointer mode says. */
bool take_scalar(const char *call, const char *name, const library_handle *handle, const void *from, bool wide, scalar *out);

/* `count` runs of `bytes`, `pitch` bytes from start to start: the columns of a column-major matrix. */
struct runs {
    const char *from;
    int64_t count, pitch;
    size_t bytes;

    bool empty() const { return count == 0 || bytes == 0; }
    size_t extent() const { return empty() ? 0 : (size_t)((count - 1) * pitch) + bytes; }
    bool overlaps(const runs &other) const;
    /* For queued work: whether they may be read, or written; a fault where not. */
    bool readable(const char *what) const;
    bool writable(const char *what) const;
    /* At the call: inside one allocation, and `from` aligned; a fault where not. */
    bool check(const char *call, const char *what, size_t alignment) const;
};

/* For queued work: fills device memory with what nobody expects. False where it may not be written. */
bool scribble(void *to, size_t bytes, const char *what);

} /* namespace cudasim */

#endif
