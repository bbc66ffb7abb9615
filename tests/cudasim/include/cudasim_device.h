/* SPDX-License-Identifier: Apache-2.0 */
/* What nvcc has built in, for kernels that are compiled as plain C++ for the simulated device: launches, shared memory,
 * indices, barriers, warp operations, atomics. Included by cuda/port.h. Arithmetic is in cudasim_math.h. */
#ifndef CUDASIM_DEVICE_H
#define CUDASIM_DEVICE_H

#include <cuda_runtime.h>

#include "cudasim_math.h"

#include <stdint.h>
#include <string.h>
#include <type_traits>
#include <utility>

namespace cudasim {

/* ---- what the library offers ---- */

/* Where in a block's shared memory a variable is; one for each declaration. */
struct shared_tag {
    uint64_t launch;
    size_t offset;
};

enum barrier_kind { BARRIER_PLAIN, BARRIER_COUNT, BARRIER_AND, BARRIER_OR };
enum warp_kind {
    WARP_SYNC,
    WARP_SHUFFLE,
    WARP_SHUFFLE_UP,
    WARP_SHUFFLE_DOWN,
    WARP_SHUFFLE_XOR,
    WARP_BALLOT,
    WARP_ANY,
    WARP_ALL,
    WARP_MATCH,
    WARP_ADD,
    WARP_MIN,
    WARP_MAX,
    WARP_UMIN,
    WARP_UMAX,
    WARP_AND,
    WARP_OR,
    WARP_XOR
};

/* The indices of a thread never change: a compiler may keep them. */
uint3 thread_index() __attribute__((const));
uint3 block_index() __attribute__((const));
dim3 block_extent() __attribute__((const));
dim3 grid_extent() __attribute__((const));
void *shared_memory(shared_tag *tag, size_t bytes, size_t align);
void *dynamic_shared_memory();
int block_barrier(barrier_kind kind, int predicate, const char *file, unsigned line);
uint64_t warp_operation(warp_kind kind, unsigned mask, uint64_t value, int argument, int width, const char *file,
                        unsigned line);
/* Before an atomic operation. */
void atomic_access(const volatile void *p, size_t bytes, const char *file, unsigned line);

typedef void kernel_caller(const void *kernel, const unsigned char *parameters);
typedef struct kernel_call {
    const char *name;
    const void *kernel;
    kernel_caller *caller;
    const void *parameters; /* copied */
    size_t parameter_bytes;
    dim3 grid, block;
    size_t shared_bytes;
    cudaStream_t stream;
} kernel_call;
/* A failure is the calling thread's last error. */
void launch(const kernel_call &call);

/* ---- launches ---- */

/* Parameters lie in memory as a device has them: each aligned by its type. */
template <class... P> struct parameter_layout {
    size_t offset[sizeof...(P) + 1];
    size_t bytes;
    constexpr parameter_layout() : offset(), bytes(0)
    {
        size_t sizes[] = {sizeof(P)..., 0}, aligns[] = {alignof(P)..., 1};
        for (size_t i = 0; i < sizeof...(P); i++) {
            bytes = (bytes + aligns[i] - 1) / aligns[i] * aligns[i];
            offset[i] = bytes;
            bytes += sizes[i];
        }
    }
};

template <class... P> struct kernel_parameters {
    static constexpr parameter_layout<P...> layout{};

    template <size_t... I> static void call(void (*kernel)(P...), const unsigned char *from, std::index_sequence<I...>)
    {
        (void)from;
        kernel(*reinterpret_cast<const P *>(from + layout.offset[I])...);
    }
    static void caller(const void *kernel, const unsigned char *from)
    {
        call(reinterpret_cast<void (*)(P...)>(reinterpret_cast<uintptr_t>(kernel)), from, std::index_sequence_for<P...>());
    }
    template <size_t... I> static void store(unsigned char *to, std::index_sequence<I...>, const P &...values)
    {
        (void)to;
        (memcpy(to + layout.offset[I], &values, sizeof values), ...);
    }
};

template <class... P, class... A>
void launch_kernel(const char *name, void (*kernel)(P...), dim3 grid, dim3 block, size_t shared_bytes, cudaStream_t stream,
                   A &&...arguments)
{
    static_assert((std::is_trivially_copyable_v<P> && ...), "parameters of a kernel are copied byte by byte");
    typedef kernel_parameters<P...> parameters;
    alignas(16) unsigned char bytes[parameters::layout.bytes + 1];
    parameters::store(bytes, std::index_sequence_for<P...>(), std::forward<A>(arguments)...);
    launch({name, reinterpret_cast<const void *>(kernel), parameters::caller, bytes, parameters::layout.bytes, grid, block,
            shared_bytes, stream});
}

/* ---- warp operations and atomics ---- */

template <class T> inline uint64_t to_bits(T value)
{
    static_assert(std::is_arithmetic_v<T>, "warp operations take numbers");
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof value);
    return bits;
}

template <class T> inline T from_bits(uint64_t bits)
{
    T value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

} /* namespace cudasim */

#define PORT_LAUNCH(kernel, grid, block, shared, stream, ...) \
    ::cudasim::launch_kernel(#kernel, kernel, (grid), (block), (shared), (stream)__VA_OPT__(, ) __VA_ARGS__)

#define SHARED(name, ...)                                                              \
    static ::cudasim::shared_tag cudasim_tag_##name;                                   \
    port_type<__VA_ARGS__> &name = *static_cast<port_type<__VA_ARGS__> *>(             \
        ::cudasim::shared_memory(&cudasim_tag_##name, sizeof(port_type<__VA_ARGS__>), alignof(port_type<__VA_ARGS__>)))

#define DYNAMIC_SHARED(type, name) type *name = static_cast<type *>(::cudasim::dynamic_shared_memory())

#define threadIdx (::cudasim::thread_index())
#define blockIdx (::cudasim::block_index())
#define blockDim (::cudasim::block_extent())
#define gridDim (::cudasim::grid_extent())
static constexpr int warpSize = 32;

#define CUDASIM_HERE const char *file = __builtin_FILE(), unsigned line = __builtin_LINE()

static inline void __syncthreads(CUDASIM_HERE)
{
    ::cudasim::block_barrier(::cudasim::BARRIER_PLAIN, 0, file, line);
}

static inline int __syncthreads_count(int predicate, CUDASIM_HERE)
{
    return ::cudasim::block_barrier(::cudasim::BARRIER_COUNT, predicate, file, line);
}

static inline int __syncthreads_and(int predicate, CUDASIM_HERE)
{
    return ::cudasim::block_barrier(::cudasim::BARRIER_AND, predicate, file, line);
}

static inline int __syncthreads_or(int predicate, CUDASIM_HERE)
{
    return ::cudasim::block_barrier(::cudasim::BARRIER_OR, predicate, file, line);
}

static inline void __syncwarp(unsigned mask = 0xffffffffu, CUDASIM_HERE)
{
    ::cudasim::warp_operation(::cudasim::WARP_SYNC, mask, 0, 0, 32, file, line);
}

#define CUDASIM_SHUFFLE(name, kind, argument)                                                                               \
    template <class T> static inline T name(unsigned mask, T value, argument, int width = 32, CUDASIM_HERE)                 \
    {                                                                                                                       \
        return ::cudasim::from_bits<T>(                                                                                     \
            ::cudasim::warp_operation(::cudasim::kind, mask, ::cudasim::to_bits(value), (int)lane, width, file, line));     \
    }
CUDASIM_SHUFFLE(__shfl_sync, WARP_SHUFFLE, int lane)
CUDASIM_SHUFFLE(__shfl_up_sync, WARP_SHUFFLE_UP, unsigned lane)
CUDASIM_SHUFFLE(__shfl_down_sync, WARP_SHUFFLE_DOWN, unsigned lane)
CUDASIM_SHUFFLE(__shfl_xor_sync, WARP_SHUFFLE_XOR, int lane)
#undef CUDASIM_SHUFFLE

#define CUDASIM_WARP(result, name, kind, type)                                                                              \
    static inline result name(unsigned mask, type value, CUDASIM_HERE)                                                      \
    {                                                                                                                       \
        return (result)::cudasim::warp_operation(::cudasim::kind, mask, ::cudasim::to_bits(value), 0, 32, file, line);      \
    }
CUDASIM_WARP(unsigned, __ballot_sync, WARP_BALLOT, int)
CUDASIM_WARP(int, __any_sync, WARP_ANY, int)
CUDASIM_WARP(int, __all_sync, WARP_ALL, int)
CUDASIM_WARP(unsigned, __match_any_sync, WARP_MATCH, int)
CUDASIM_WARP(unsigned, __match_any_sync, WARP_MATCH, unsigned)
CUDASIM_WARP(unsigned, __match_any_sync, WARP_MATCH, long)
CUDASIM_WARP(unsigned, __match_any_sync, WARP_MATCH, unsigned long)
CUDASIM_WARP(int, __reduce_add_sync, WARP_ADD, int)
CUDASIM_WARP(unsigned, __reduce_add_sync, WARP_ADD, unsigned)
CUDASIM_WARP(int, __reduce_min_sync, WARP_MIN, int)
CUDASIM_WARP(unsigned, __reduce_min_sync, WARP_UMIN, unsigned)
CUDASIM_WARP(int, __reduce_max_sync, WARP_MAX, int)
CUDASIM_WARP(unsigned, __reduce_max_sync, WARP_UMAX, unsigned)
CUDASIM_WARP(unsigned, __reduce_and_sync, WARP_AND, unsigned)
CUDASIM_WARP(unsigned, __reduce_or_sync, WARP_OR, unsigned)
CUDASIM_WARP(unsigned, __reduce_xor_sync, WARP_XOR, unsigned)
#undef CUDASIM_WARP

/* One thread runs at a time: an atomic operation is a plain one that the checker knows of. There are none for floats, whose
 * sums would depend on the order. */
#define CUDASIM_ATOMIC(name, type, expression)                                                                              \
    __attribute__((no_sanitize("thread"))) static inline type name(type *p, type value, CUDASIM_HERE)                       \
    {                                                                                                                       \
        ::cudasim::atomic_access(p, sizeof *p, file, line);                                                                 \
        type old = *p;                                                                                                      \
        *p = (expression);                                                                                                  \
        return old;                                                                                                         \
    }
#define CUDASIM_ATOMICS(type)                                               \
    CUDASIM_ATOMIC(atomicAdd, type, (type)(old + value))                    \
    CUDASIM_ATOMIC(atomicMax, type, value > old ? value : old)              \
    CUDASIM_ATOMIC(atomicMin, type, value < old ? value : old)              \
    CUDASIM_ATOMIC(atomicExch, type, value)                                 \
    CUDASIM_ATOMIC(atomicOr, type, old | value)                             \
    CUDASIM_ATOMIC(atomicAnd, type, old & value)                            \
    CUDASIM_ATOMIC(atomicXor, type, old ^ value)                            \
    __attribute__((no_sanitize("thread"))) static inline type atomicCAS(type *p, type compare, type value, CUDASIM_HERE)    \
    {                                                                                                                       \
        ::cudasim::atomic_access(p, sizeof *p, file, line);                                                                 \
        type old = *p;                                                                                                      \
        if (old == compare) {                                                                                               \
            *p = value;                                                                                                     \
        }                                                                                                                   \
        return old;                                                                                                         \
    }
CUDASIM_ATOMICS(int)
CUDASIM_ATOMICS(unsigned)
CUDASIM_ATOMICS(unsigned long long)
#undef CUDASIM_ATOMICS
#undef CUDASIM_ATOMIC
#undef CUDASIM_HERE

/* Threads see each other's writes at once. What a fence orders is not taken for order by the checker. */
static inline void __threadfence() {}
static inline void __threadfence_block() {}

template <class T> __forceinline__ T __ldg(const T *p)
{
    return *p;
}

template <class T> __forceinline__ T __ldcs(const T *p)
{
    return *p;
}

template <class T> __forceinline__ T __ldcg(const T *p)
{
    return *p;
}

template <class T> __forceinline__ void __stcs(T *p, T value)
{
    *p = value;
}

template <class T> __forceinline__ void __stcg(T *p, T value)
{
    *p = value;
}

#endif
