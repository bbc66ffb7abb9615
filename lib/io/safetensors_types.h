/* SPDX-License-Identifier: Apache-2.0 */
/* What reader and writer of safetensors share: names of the format and widths of its element types. */
#ifndef CFD_IO_SAFETENSORS_TYPES_H
#define CFD_IO_SAFETENSORS_TYPES_H

#include <stddef.h>
#include <string.h>

#define SAFETENSORS_METADATA "__metadata__"
#define SAFETENSORS_ALIGNMENT 64
/* The reference implementation's limit, too. */
#define SAFETENSORS_MAX_HEADER 100000000

/* Bytes of an element; 0 for a type that is not known here. */
static inline size_t safetensors_element_bytes(const char *dtype)
{
    static const struct {
        char name[8];
        size_t bytes;
    } types[] = {{"F32", 4}, {"F64", 8}, {"F16", 2}, {"BF16", 2}, {"I64", 8}, {"I32", 4}, {"I16", 2},
                 {"I8", 1},  {"U64", 8}, {"U32", 4}, {"U16", 2},  {"U8", 1},  {"BOOL", 1}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(types[i].name, dtype) == 0) {
            return types[i].bytes;
        }
    }
    return 0;
}

#endif
