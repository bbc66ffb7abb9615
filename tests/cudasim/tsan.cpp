/* SPDX-License-Identifier: Apache-2.0 */
/* What gcc's -fsanitize=thread calls before every access, and -fsanitize=alignment where a pointer is not aligned, in place
 * of those sanitizers' own libraries: the checker hears of what kernels do. Code of the host's in the same files calls here
 * too: its accesses mean nothing. (Reads of a whole vector arrive as reads of its parts: hence both.) */
#include <stddef.h>
#include <stdint.h>

namespace cudasim {
void kernel_access(const void *p, size_t bytes, size_t align, bool write, const void *pc);
void misaligned_access(const void *p, size_t align, const char *file, unsigned line);
} // namespace cudasim

#ifdef CUDASIM_CHECKED

#define PUBLIC extern "C" __attribute__((visibility("default")))

#define ACCESSES(bytes)                                                              \
    PUBLIC void __tsan_read##bytes(void *p);                                         \
    PUBLIC void __tsan_write##bytes(void *p);                                        \
    PUBLIC void __tsan_unaligned_read##bytes(void *p);                               \
    PUBLIC void __tsan_unaligned_write##bytes(void *p);                              \
    PUBLIC void __tsan_read##bytes(void *p)                                          \
    {                                                                                \
        cudasim::kernel_access(p, bytes, bytes, false, __builtin_return_address(0)); \
    }                                                                                \
    PUBLIC void __tsan_write##bytes(void *p)                                         \
    {                                                                                \
        cudasim::kernel_access(p, bytes, bytes, true, __builtin_return_address(0));  \
    }                                                                                \
    PUBLIC void __tsan_unaligned_read##bytes(void *p)                                \
    {                                                                                \
        cudasim::kernel_access(p, bytes, 1, false, __builtin_return_address(0));     \
    }                                                                                \
    PUBLIC void __tsan_unaligned_write##bytes(void *p)                               \
    {                                                                                \
        cudasim::kernel_access(p, bytes, 1, true, __builtin_return_address(0));      \
    }
ACCESSES(1)
ACCESSES(2)
ACCESSES(4)
ACCESSES(8)
ACCESSES(16)

PUBLIC void __tsan_read_range(void *p, size_t bytes);
PUBLIC void __tsan_write_range(void *p, size_t bytes);
PUBLIC void __tsan_vptr_update(void **p, void *value);
PUBLIC void __tsan_vptr_read(void **p);
PUBLIC void __tsan_func_entry(void *pc);
PUBLIC void __tsan_func_exit(void);
PUBLIC void __tsan_init(void);

PUBLIC void __tsan_read_range(void *p, size_t bytes)
{
    cudasim::kernel_access(p, bytes, 1, false, __builtin_return_address(0));
}

PUBLIC void __tsan_write_range(void *p, size_t bytes)
{
    cudasim::kernel_access(p, bytes, 1, true, __builtin_return_address(0));
}

PUBLIC void __tsan_vptr_update(void **p, void *)
{
    cudasim::kernel_access(p, sizeof *p, sizeof *p, true, __builtin_return_address(0));
}

PUBLIC void __tsan_vptr_read(void **p)
{
    cudasim::kernel_access(p, sizeof *p, sizeof *p, false, __builtin_return_address(0));
}

/* What the compiler tells of a pointer that is used. */
struct pointer_use {
    const char *file;
    uint32_t line, column;
    const void *type;
    unsigned char log_alignment, kind;
};
PUBLIC void __ubsan_handle_type_mismatch_v1(pointer_use *use, uintptr_t p);

PUBLIC void __ubsan_handle_type_mismatch_v1(pointer_use *use, uintptr_t p)
{
    cudasim::misaligned_access((const void *)p, (size_t)1 << use->log_alignment, use->file, use->line);
}

PUBLIC void __tsan_func_entry(void *) {}
PUBLIC void __tsan_func_exit(void) {}
PUBLIC void __tsan_init(void) {}

#endif
