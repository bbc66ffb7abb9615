/* SPDX-License-Identifier: Apache-2.0 */
/* What all parts of the simulated device share: the lock, faults, errors, memory. One lock guards everything; any thread of
 * the host may call, and the one that waits for something runs the queued work itself. */
#ifndef CUDASIM_STATE_H
#define CUDASIM_STATE_H

#include "cudasim.h"
#include "sim.h"

#include <atomic>
#include <mutex>
#include <stdint.h>
#include <string>
#include <thread>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define CUDASIM_POISON(p, n) __asan_poison_memory_region((p), (n))
#define CUDASIM_UNPOISON(p, n) __asan_unpoison_memory_region((p), (n))
#else
#define CUDASIM_POISON(p, n) ((void)(p), (void)(n))
#define CUDASIM_UNPOISON(p, n) ((void)(p), (void)(n))
#endif

#define CUDASIM_PUBLIC __attribute__((visibility("default")))

namespace cudasim {

/* A lock that its holder may take again, and lay down for a while however often it was taken. */
class device_lock {
public:
    void lock();
    void unlock();
    int suspend();
    void resume(int depth);

private:
    std::mutex mutex;
    std::atomic<std::thread::id> owner;
    int depth = 0;
};
extern device_lock lock;
typedef std::lock_guard<device_lock> guard;

enum {
    WARP = 32,
    MOST_THREADS = 1024,       /* of a block */
    STATIC_SHARED = 48 << 10,  /* bytes: without asking for more */
    OPTIN_SHARED = 227 << 10,  /* static and dynamic in all */
    MOST_PARAMETERS = 4 << 10, /* bytes */
    MULTIPROCESSORS = 4,
    POISON_BYTE = 0xff /* floats are NaN, integers -1 */
};

/* ---- chance (control.cpp) ---- */

/* A number below n, from the seed. */
unsigned chance(unsigned n);
void shuffle(unsigned *order, unsigned n);

/* ---- errors (errors.cpp) ---- */

/* What the runtime keeps for a thread of the host. */
struct host_thread {
    int device = 0;
    cudaError_t last = cudaSuccess;
    std::string unseen; /* the launch whose failure was not asked for */
    bool in_host_function = false;
    cudaStreamCaptureMode capture_mode = cudaStreamCaptureModeGlobal;
    cudaStream_t default_stream = nullptr; /* cudaStreamPerThread */
};
host_thread &this_thread();

/* Makes it the calling thread's last error, and returns it. */
cudaError_t failed(cudaError_t error);
/* What a kernel did, which every call returns from then on. */
extern cudaError_t sticky_error;
/* What every function of the runtime begins with: the lock, and whether the call is refused. */
class api_call {
public:
    explicit api_call(const char *name);
    bool refused() const { return error != cudaSuccess; }
    cudaError_t error = cudaSuccess;

private:
    guard hold;
};
/* A fault where the thread's last launch failed and nobody looked. */
void check_unseen(const char *call);

/* ---- faults (faults.cpp) ---- */

/* A fault of a kernel or of queued work: the message, and an error that sticks; without `abandon` the kernel goes on. */
void kernel_fault(const char *kind, cudaError_t error, bool abandon, const std::string &message);
std::string text(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Function, file and line of an address of code, as far as they can be found. */
std::string code_place(const void *pc);
/* Name of the function at an address, demangled; "" where it is not found (symbols.cpp). */
std::string function_name(const void *address);

/* ---- memory (memory.cpp) ---- */

enum memory_kind { MEMORY_DEVICE, MEMORY_PINNED };

struct allocation {
    char *start;
    size_t bytes, room; /* room: with the red zone behind it */
    uint32_t birth;     /* moment (races.h) of allocation: what is older was done to other memory */
    memory_kind kind;
    int device;
    bool live;
};

/* Device and pinned memory are parts of one range of addresses. */
extern char *const arena;
extern const size_t arena_bytes;
static inline bool in_arena(const void *p)
{
    return (uintptr_t)p - (uintptr_t)arena < arena_bytes;
}

/* NULL where memory is refused. */
allocation *allocate(memory_kind kind, size_t bytes);
void release(allocation *a);
/* Of each page of the arena the allocation that was made there last. An allocation begins with a page. */
enum { ARENA_PAGE = 512 };
extern allocation **const page_owner;
/* The allocation at or before an address, live or not; NULL for what was never allocated. */
static inline allocation *allocation_at(const void *p)
{
    return in_arena(p) ? page_owner[((uintptr_t)p - (uintptr_t)arena) / ARENA_PAGE] : nullptr;
}
/* The live allocation whose start p is. */
allocation *allocation_from(const void *p);
/* A range of the host's memory that was registered and that contains [p, p + bytes). */
bool is_registered(const void *p, size_t bytes);
bool register_memory(void *p, size_t bytes);
bool unregister_memory(void *p);
/* Of all live ones. */
std::vector<allocation *> live_allocations();
std::string describe_address(const void *p);

/* While one exists the host may touch device memory. */
class open_memory {
public:
    open_memory();
    ~open_memory();
};
/* The reverse, for a while. */
int shut_memory();
void reopen_memory(int count);

extern size_t memory_limit, memory_in_use;
extern long allocations_until_failure;
extern int device_count;

} /* namespace cudasim */

#endif
