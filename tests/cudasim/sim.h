/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the simulated device: what its runtime (streams.cpp, ...) offers to its libraries (cublas.cpp, ...). */
#ifndef CUDASIM_SIM_H
#define CUDASIM_SIM_H

#include <cuda_runtime.h>

#include <functional>
#include <stddef.h>
#include <stdint.h>

namespace cudasim {

/* Queues work on a stream (recorded where the stream captures). It runs late, when something is waited for, in an order that
 * respects streams and events only. While it runs device memory may be touched. */
cudaError_t enqueue(cudaStream_t stream, const char *what, std::function<void()> work);

/* To be called by queued work before it touches device memory by other means than an instrumented kernel: is the range
 * inside live device (or pinned) memory, was it written before, and is the access ordered after those of other streams? Each
 * says what is wrong by violation(). False where the access must not be made. */
bool device_read(const void *from, size_t bytes, const char *what);
bool device_write(void *to, size_t bytes, const char *what);

/* At the time of a call: is [p, p + bytes) inside one live allocation of device or pinned memory? */
bool is_device_memory(const void *p, size_t bytes);
/* Is this a stream that the runtime made and that was not destroyed (or the default stream)? */
bool is_stream(cudaStream_t stream);
/* The calling thread's current device. */
int current_device();

/* A mistake of the program, with a message. Aborts the process, unless the test expects faults (cudasim.h). */
void violation(const char *kind, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Counts for cudasim_count: what the libraries count by themselves. */
void count(int what);

} /* namespace cudasim */

#endif
