/* SPDX-License-Identifier: Apache-2.0 */
/* The layout of a tensor in the exchange format DLPack (https://dmlc.github.io/dlpack), in its unversioned form, which every
 * version reads. These declarations are the library's own, so that it needs no header of DLPack's; tests/python/views.py
 * holds them against a reader that is not. */
#ifndef CFD_API_DLPACK_H
#define CFD_API_DLPACK_H

#include <stddef.h>
#include <stdint.h>

enum { DLPACK_CPU = 1, DLPACK_CUDA = 2 }; /* of device_type */
enum { DLPACK_FLOAT = 2 };                /* of code */

typedef struct dlpack_device {
    int32_t device_type;
    int32_t device_id; /* 0 for the host */
} dlpack_device;

typedef struct dlpack_type {
    uint8_t code;
    uint8_t bits;
    uint16_t lanes; /* numbers to an element */
} dlpack_type;

typedef struct dlpack_tensor {
    void *data;
    dlpack_device device;
    int32_t ndim;
    dlpack_type dtype;
    int64_t *shape;   /* ndim */
    int64_t *strides; /* ndim, in elements */
    uint64_t byte_offset;
} dlpack_tensor;

struct DLManagedTensor {
    dlpack_tensor dl_tensor;
    void *manager_ctx;
    void (*deleter)(struct DLManagedTensor *self);
};

_Static_assert(offsetof(dlpack_tensor, ndim) == sizeof(void *) + 8, "DLPack's layout");
_Static_assert(offsetof(dlpack_tensor, shape) == sizeof(void *) + 16, "DLPack's layout");
_Static_assert(offsetof(struct DLManagedTensor, manager_ctx) == sizeof(dlpack_tensor), "DLPack's layout");

#endif
