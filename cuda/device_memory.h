/* SPDX-License-Identifier: Apache-2.0 */
/* The table's operations on memory (memory.cu). */
#ifndef CFD_CUDA_DEVICE_MEMORY_H
#define CFD_CUDA_DEVICE_MEMORY_H

#include "backend.h"

enum { CUDA_BLAS_WORKSPACE = 32 << 20 }; /* what cuBLAS recommends for sm_90 */

extern "C" {

cfd_status cuda_allocate(ops *o, size_t bytes, const char *what, void *out);
void cuda_release(ops *o, void *memory);
size_t cuda_scratch_bytes(const ops *o);
cfd_status cuda_upload(ops *o, void *to, const void *from_host, size_t bytes);
cfd_status cuda_download(ops *o, void *to_host, const void *from, size_t bytes);
cfd_status cuda_copy(ops *o, void *to, const void *from, size_t bytes);
cfd_status cuda_zero(ops *o, void *to, size_t bytes);
cfd_status cuda_synchronise(ops *o);
cfd_status cuda_mailbox_create(ops *o, size_t bytes, ops_mailbox **out);
void cuda_mailbox_destroy(ops *o, ops_mailbox *mailbox);
cfd_status cuda_mailbox_post(ops *o, ops_mailbox *mailbox, const void *from);
cfd_status cuda_mailbox_read(ops *o, ops_mailbox *mailbox, void *to, bool wait, bool *ready);
cfd_status cuda_copy_matrix(ops *o, const float *from, int64_t ld_from, float *to, int64_t ld_to, int64_t rows,
                            int32_t columns, float scale);

} /* extern "C" */

#endif
