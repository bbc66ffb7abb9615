/* SPDX-License-Identifier: Apache-2.0 */
/* What an operation's operands hold, where its cost depends on it: counted behind the backend's pointers. */
#ifndef CFD_OPS_PROFILE_COUNT_H
#define CFD_OPS_PROFILE_COUNT_H

#include "ops/ops.h"

typedef struct spmm_count {
    int64_t rows, nonzeros; /* of the wanted rows */
    int64_t met, present;   /* with compact input: nonzeros that meet a row of it; rows that it has */
    int64_t added;          /* rows of the addend */
} spmm_count;

cfd_status count_spmm(ops *o, const ops_csr *g, ops_rows output, const int32_t *input_slots, const ops_addend *addend,
                      spmm_count *out);
/* Distinct rows of an indexed batch; those of them that are a user or a positive somewhere. */
cfd_status count_rows(ops *o, const ops_batch *batch, int32_t *out);
cfd_status count_users_and_positives(ops *o, const ops_batch *batch, int32_t *out);

#endif
