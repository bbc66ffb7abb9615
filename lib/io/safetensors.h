/* SPDX-License-Identifier: Apache-2.0 */
/* The safetensors file format: an 8-byte little-endian header length, a JSON header, the tensors' bytes. */
#ifndef CFD_IO_SAFETENSORS_H
#define CFD_IO_SAFETENSORS_H

#include "base/memory.h"

/* A tensor of the file; float32 and int32 and int64 are written, others can be found but not used. */
typedef struct safetensor {
    const char *name;
    const char *dtype; /* "F32", "I32", "I64" */
    int64_t shape[2];
    int32_t rank; /* 0 to 2 (a scalar, a vector, a matrix); others are refused when read */
    const void *data;
    size_t bytes;
} safetensor;

typedef struct safetensors_entry {
    const char *key, *value; /* UTF-8 */
} safetensors_entry;

/* Writes atomically (io/atomic_file.h). The data begins at a multiple of 64 bytes; tensors of wide elements
 * come first, so that each is aligned to its element. */
cfd_status safetensors_write(const memory_source *memory, const char *path, const safetensor *tensors, size_t n_tensors,
                             const safetensors_entry *metadata, size_t n_metadata);

/* A mapped file. Every offset, size and shape in it has been checked. */
typedef struct safetensors_file {
    const memory_source *memory;
    void *mapping;
    size_t mapping_bytes;
    safetensor *tensors;
    size_t n_tensors;
    safetensors_entry *metadata;
    size_t n_metadata;
    char *text; /* all names, keys and values */
} safetensors_file;

cfd_status safetensors_open(const memory_source *memory, const char *path, safetensors_file *out);
void safetensors_close(safetensors_file *file);                                     /* accepts a zeroed struct */
const safetensor *safetensors_find(const safetensors_file *file, const char *name); /* NULL: not there */
const char *safetensors_metadata(const safetensors_file *file, const char *key);    /* NULL: not there */

#endif
