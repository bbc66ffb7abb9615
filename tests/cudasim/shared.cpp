/* SPDX-License-Identifier: Apache-2.0 */
/* Shared memory of the block that runs. Each variable is declared once and found by its tag; between them are red zones,
 * which do not count. Every block begins with poison in it. */
#include "kernel.h"

#include <string.h>

namespace cudasim {

static const size_t STATIC_ROOM = 160 << 10, RED_ZONE = 32;
const size_t shared_room = STATIC_ROOM + OPTIN_SHARED + 4096;
alignas(4096) static char room[STATIC_ROOM + OPTIN_SHARED + 4096];
char *const shared_base = room;
/* Aligned to 16 bytes and to no more. */
static char *const dynamic_base = room + STATIC_ROOM + 16;

static unsigned char usable[sizeof room]; /* of each byte: whether it is part of a variable */
static uint64_t launches;

struct variable {
    size_t offset, bytes;
};
static std::vector<variable> &variables = *new std::vector<variable>;
static size_t static_bytes, static_end; /* without red zones, with them */

static size_t align_up(size_t n, size_t align)
{
    return (n + align - 1) / align * align;
}

static void add_variable(size_t offset, size_t bytes)
{
    variables.push_back({offset, bytes});
    memset(usable + offset, 1, bytes);
    CUDASIM_UNPOISON(room + offset, bytes);
    memset(room + offset, POISON_BYTE, bytes);
}

void begin_shared(size_t dynamic_bytes)
{
    launches++;
    for (const variable &v : variables) {
        memset(usable + v.offset, 0, v.bytes);
    }
    variables.clear();
    CUDASIM_POISON(room, sizeof room);
    static_bytes = 0;
    static_end = RED_ZONE;
    if (dynamic_bytes > 0) {
        add_variable((size_t)(dynamic_base - room), dynamic_bytes);
    }
}

void fill_shared()
{
    for (const variable &v : variables) {
        memset(room + v.offset, POISON_BYTE, v.bytes);
    }
}

bool is_shared_memory(const void *p, size_t bytes)
{
    size_t offset = (size_t)((const char *)p - room);
    return bytes <= sizeof room - offset && usable[offset] != 0 && usable[offset + bytes - 1] != 0;
}

CUDASIM_PUBLIC void *shared_memory(shared_tag *tag, size_t bytes, size_t align)
{
    if (tag->launch != launches) {
        static_bytes = align_up(static_bytes, align) + bytes;
        function_limits &limits = limits_of(run_now.kernel);
        limits.static_bytes = static_bytes > limits.static_bytes ? static_bytes : limits.static_bytes;
        if (static_bytes > STATIC_SHARED) {
            block_fault(current, "argument", cudaErrorInvalidConfiguration,
                        text("%zu bytes of static shared memory, more than %d", static_bytes, STATIC_SHARED));
            abandon_thread();
        }
        if (static_bytes + run_now.dynamic_bytes > OPTIN_SHARED ||
            (run_now.dynamic_bytes <= STATIC_SHARED && limits.dynamic_bytes <= STATIC_SHARED &&
             static_bytes + run_now.dynamic_bytes > STATIC_SHARED)) {
            block_fault(current, "argument", cudaErrorInvalidConfiguration,
                        text("%zu bytes of static and %zu of dynamic shared memory are too much", static_bytes,
                             run_now.dynamic_bytes));
            abandon_thread();
        }
        static_end = align_up(static_end, align < 16 ? 16 : align);
        tag->launch = launches;
        tag->offset = static_end;
        add_variable(static_end, bytes);
        static_end += bytes + RED_ZONE;
        if (static_end > STATIC_ROOM) {
            block_fault(current, "argument", cudaErrorInvalidConfiguration, "too many variables in shared memory");
            abandon_thread();
        }
    }
    return room + tag->offset;
}

CUDASIM_PUBLIC void *dynamic_shared_memory()
{
    return dynamic_base;
}

} /* namespace cudasim */
