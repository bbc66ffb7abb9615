/* SPDX-License-Identifier: Apache-2.0 */
/* Names and their numbers, in order of first appearance. */
#ifndef EXAMPLES_COMMON_NAMES_H
#define EXAMPLES_COMMON_NAMES_H

#include "complaint.h"

#include <stddef.h>
#include <stdint.h>

/* Zero-initialise; names_release in the end. */
typedef struct name_table {
    char *bytes; /* all names, each NUL-terminated */
    size_t n_bytes, bytes_capacity;
    size_t *starts; /* n, into bytes */
    int32_t n, capacity;
    int32_t *slots; /* hash table: number or -1 */
    size_t n_slots; /* a power of 2 */
} name_table;

/* The number of a name of `length` bytes, given to it now if it is new; -1 with a complaint. */
int32_t names_number(name_table *names, const char *name, size_t length, complaint *problem);
const char *names_at(const name_table *names, int32_t number);
void names_release(name_table *names);

#endif
