/* SPDX-License-Identifier: Apache-2.0 */
/* Names and their numbers: see names.h. Open addressing with FNV-1a, at most half full. */
#include "names.h"

#include <stdlib.h>
#include <string.h>

const char *names_at(const name_table *names, int32_t number)
{
    return names->bytes + names->starts[number];
}

void names_release(name_table *names)
{
    free(names->bytes);
    free(names->starts);
    free(names->slots);
    memset(names, 0, sizeof(*names));
}

/* The slot that holds the name, or the empty one where it belongs. */
static size_t find_slot(const name_table *names, const char *name, size_t length)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (unsigned char)name[i]) * 0x100000001b3u;
    }
    size_t slot = (size_t)(hash ^ (hash >> 32)) & (names->n_slots - 1);
    while (names->slots[slot] >= 0) {
        const char *other = names_at(names, names->slots[slot]);
        if (strncmp(other, name, length) == 0 && other[length] == '\0') {
            break;
        }
        slot = (slot + 1) & (names->n_slots - 1);
    }
    return slot;
}

static int grow_slots(name_table *names, complaint *problem)
{
    size_t n_slots = names->n_slots == 0 ? 256 : names->n_slots * 2;
    int32_t *slots = malloc(n_slots * sizeof(*slots));
    if (slots == NULL) {
        return complain_of_memory(problem);
    }
    memset(slots, 0xff, n_slots * sizeof(*slots));
    free(names->slots);
    names->slots = slots;
    names->n_slots = n_slots;
    for (int32_t i = 0; i < names->n; i++) {
        slots[find_slot(names, names_at(names, i), strlen(names_at(names, i)))] = i;
    }
    return 0;
}

static int grow_starts(name_table *names, complaint *problem)
{
    if (names->capacity > INT32_MAX / 4) {
        return complain(problem, "more than %d different names", (int)names->n);
    }
    int32_t capacity = names->capacity == 0 ? 128 : names->capacity * 2;
    size_t *starts = realloc(names->starts, (size_t)capacity * sizeof(*starts));
    if (starts == NULL) {
        return complain_of_memory(problem);
    }
    names->starts = starts;
    names->capacity = capacity;
    return 0;
}

static int grow_bytes(name_table *names, size_t need, complaint *problem)
{
    size_t capacity = names->bytes_capacity == 0 ? 4096 : names->bytes_capacity;
    while (capacity < need) {
        if (capacity > SIZE_MAX / 2) {
            return complain_of_memory(problem);
        }
        capacity *= 2;
    }
    char *bytes = realloc(names->bytes, capacity);
    if (bytes == NULL) {
        return complain_of_memory(problem);
    }
    names->bytes = bytes;
    names->bytes_capacity = capacity;
    return 0;
}

int32_t names_number(name_table *names, const char *name, size_t length, complaint *problem)
{
    if ((size_t)names->n >= names->n_slots / 2 && grow_slots(names, problem) != 0) {
        return -1;
    }
    size_t slot = find_slot(names, name, length);
    if (names->slots[slot] >= 0) {
        return names->slots[slot];
    }
    if (names->n == names->capacity && grow_starts(names, problem) != 0) {
        return -1;
    }
    if (length >= SIZE_MAX - names->n_bytes) {
        return complain_of_memory(problem);
    }
    if (names->n_bytes + length + 1 > names->bytes_capacity &&
        grow_bytes(names, names->n_bytes + length + 1, problem) != 0) {
        return -1;
    }
    memcpy(names->bytes + names->n_bytes, name, length);
    names->bytes[names->n_bytes + length] = '\0';
    names->starts[names->n] = names->n_bytes;
    names->n_bytes += length + 1;
    names->slots[slot] = names->n;
    return names->n++;
}
