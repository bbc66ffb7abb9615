/* SPDX-License-Identifier: Apache-2.0 */
/* Names of users and items, from a file (line n is the name of id n) or from memory, their bytes taken as they are. */
#include "data/dataset_parts.h"
#include "io/map_file.h"

#include <string.h>

/* Eight bytes at a time: names may be long, and there may be millions. */
static uint64_t hash_name(const char *name, size_t length)
{
    const uint64_t factor = 0x9e3779b97f4a7c15u;
    uint64_t hash = length * factor;
    uint64_t word;
    for (; length >= sizeof word; name += sizeof word, length -= sizeof word) {
        memcpy(&word, name, sizeof word);
        hash = (hash ^ word) * factor;
        hash ^= hash >> 32;
    }
    word = 0;
    for (size_t i = 0; i < length; i++) {
        word = word << 8 | (unsigned char)name[i];
    }
    hash = (hash ^ word) * factor;
    hash = (hash ^ hash >> 29) * factor;
    return hash ^ hash >> 32;
}

static size_t first_slot(const name_list *names, uint64_t hash)
{
    return (size_t)hash & (names->slots - 1);
}

/* The slot of that name, or the free one where it would go. */
static name_slot *find_slot(const name_list *names, const char *name, uint64_t hash)
{
    size_t at = first_slot(names, hash);
    for (;;) {
        name_slot *slot = &names->table[at];
        if (slot->id < 0 ||
            (slot->hash == (uint32_t)(hash >> 32) && strcmp(names->bytes + names->starts[slot->id], name) == 0)) {
            return slot;
        }
        at = (at + 1) & (names->slots - 1);
    }
}

/* A line is empty or not; a last line without its newline counts, one of no bytes does not. */
static size_t count_lines(const char *bytes, size_t n)
{
    size_t lines = 0;
    for (size_t at = 0; at < n; lines++) {
        const char *newline = memchr(bytes + at, '\n', n - at);
        at = newline ? (size_t)(newline - bytes) + 1 : n;
    }
    return lines;
}

/* Copies the lines, each NUL-terminated, which takes no more room than they have with their newlines, and one byte;
 * *filled says how much. */
static cfd_status split_lines(const char *path, const char *bytes, size_t n, name_list *names, int32_t *named,
                              size_t *filled)
{
    size_t to = 0;
    size_t at = 0;
    for (int32_t id = 0; id < names->n; id++) {
        const char *newline = memchr(bytes + at, '\n', n - at);
        size_t end = newline ? (size_t)(newline - bytes) : n;
        size_t length = end - at;
        length -= length > 0 && bytes[end - 1] == '\r';
        if (memchr(bytes + at, '\0', length)) {
            return fail(CFD_ERROR_FORMAT, "%s:%d: a NUL byte in a name", path, (int)id + 1);
        }
        names->starts[id] = to;
        memcpy(names->bytes + to, bytes + at, length);
        names->bytes[to + length] = '\0';
        to += length + 1;
        *named = length > 0 ? id + 1 : *named;
        at = end + 1;
    }
    *filled = to;
    return CFD_OK;
}

/* Of several that bear the same name the first is found; ids without a name are not. `end` is where the last name ends, its
 * NUL included. Slots lie far apart: they are fetched for some names in advance, else each would be waited for. */
static void fill_table(name_list *names, size_t end)
{
    enum { AT_ONCE = 32 };
    uint64_t hashes[AT_ONCE];
    for (size_t slot = 0; slot < names->slots; slot++) {
        names->table[slot].id = -1;
    }
    size_t all = (size_t)names->n;
    for (size_t begin = 0; begin < all; begin += AT_ONCE) {
        size_t stop = all - begin < AT_ONCE ? all : begin + AT_ONCE;
        for (size_t id = begin; id < stop; id++) {
            size_t next = id + 1 < all ? names->starts[id + 1] : end;
            uint64_t hash = hash_name(names->bytes + names->starts[id], next - names->starts[id] - 1);
            __builtin_prefetch(&names->table[first_slot(names, hash)], 1);
            hashes[id - begin] = hash;
        }
        for (size_t id = begin; id < stop; id++) {
            const char *name = names->bytes + names->starts[id];
            uint64_t hash = hashes[id - begin];
            name_slot *slot = *name ? find_slot(names, name, hash) : NULL;
            if (slot && slot->id < 0) {
                *slot = (name_slot){(int32_t)id, (uint32_t)(hash >> 32)};
            }
        }
    }
}

/* Room for n names of so many bytes with their NULs. */
static cfd_status allocate(const memory_source *memory, size_t n, size_t bytes, name_list *names)
{
    names->n = (int32_t)n;
    names->slots = 4;
    while (names->slots < n * 2) {
        names->slots *= 2;
    }
    TRY(memory_allocate(memory, bytes, 1, "names", &names->bytes));
    TRY(memory_allocate(memory, n, sizeof *names->starts, "names", &names->starts));
    return memory_allocate(memory, names->slots, sizeof *names->table, "names", &names->table);
}

static cfd_status read_bytes(const memory_source *memory, const char *path, const char *bytes, size_t n, name_list *names,
                             int32_t *named)
{
    size_t lines = count_lines(bytes, n);
    if (lines >= INT32_MAX) {
        return fail(CFD_ERROR_FORMAT, "%s: %zu lines are more than there can be ids", path, lines);
    }
    TRY(allocate(memory, lines, n + 1, names));
    size_t filled = 0;
    TRY(split_lines(path, bytes, n, names, named, &filled));
    fill_table(names, filled);
    return CFD_OK;
}

cfd_status names_read(const memory_source *memory, const char *path, name_list *out, int32_t *named)
{
    mapped_file map;
    TRY(map_file(path, MAP_SEQUENTIAL, false, &map));
    name_list names = {0};
    int32_t last = 0;
    cfd_status status = read_bytes(memory, path, map.memory, map.bytes, &names, &last);
    unmap_file(&map);
    if (status != CFD_OK) {
        names_release(memory, &names);
        return status;
    }
    *out = names;
    *named = last;
    return CFD_OK;
}

cfd_status names_copy(const memory_source *memory, const char *const *texts, int32_t n, name_list *out)
{
    size_t bytes = 0;
    for (int32_t id = 0; id < n; id++) {
        if (!checked_add(bytes, (texts[id] ? strlen(texts[id]) : 0) + 1, &bytes)) {
            return fail_memory("names", SIZE_MAX);
        }
    }
    name_list names = {0};
    cfd_status status = allocate(memory, (size_t)n, bytes, &names);
    if (status != CFD_OK) {
        names_release(memory, &names);
        return status;
    }
    size_t to = 0;
    for (int32_t id = 0; id < n; id++) {
        size_t length = texts[id] ? strlen(texts[id]) : 0;
        names.starts[id] = to;
        if (length > 0) {
            memcpy(names.bytes + to, texts[id], length);
        }
        names.bytes[to + length] = '\0';
        to += length + 1;
    }
    fill_table(&names, to);
    names_release(memory, out);
    *out = names;
    return CFD_OK;
}

void names_release(const memory_source *memory, name_list *names)
{
    memory_release(memory, names->bytes);
    memory_release(memory, names->starts);
    memory_release(memory, names->table);
    *names = (name_list){0};
}

const char *name_list_at(const name_list *names, int32_t id)
{
    if (id < 0 || id >= names->n) {
        return NULL;
    }
    const char *name = names->bytes + names->starts[id];
    return *name ? name : NULL;
}

int32_t name_list_find(const name_list *names, const char *name)
{
    return names->n > 0 && *name ? find_slot(names, name, hash_name(name, strlen(name)))->id : -1;
}
