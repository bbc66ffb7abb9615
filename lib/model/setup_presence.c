/* SPDX-License-Identifier: Apache-2.0 */
/* Which items lack a modality: those whose row of features, as the model gets them, is all zeros. */
#include "model/setup.h"

/* Nearly every row is known by its first number. -0 is zero. */
static bool dense_row_is_zero(const ops_feature_source *f, int32_t row)
{
    size_t start = (size_t)row * (size_t)f->ld;
    for (int32_t c = 0; c < f->columns; c++) {
        size_t at = start + (size_t)c;
        bool zero = f->element == OPS_FLOAT32 ? ((const float *)f->dense)[at] == 0.0f
                                              : (((const uint16_t *)f->dense)[at] & 0x7fffu) == 0; /* all but the sign */
        if (!zero) {
            return false;
        }
    }
    return true;
}

static bool sparse_row_is_zero(const ops_csr *sparse, int32_t row)
{
    for (int64_t at = sparse->offsets[row]; at < sparse->offsets[row + 1]; at++) {
        if (sparse->values[at] != 0.0f) {
            return false;
        }
    }
    return true;
}

cfd_status setup_presence(model *m, const ops_feature_source *features, uint8_t **present)
{
    uint8_t *host;
    TRY(memory_allocate(m->memory, (size_t)m->items, 1, "which items have a modality", &host));
    bool complete = true;
    for (int32_t i = 0; i < m->items; i++) {
        host[i] = !(features->dense ? dense_row_is_zero(features, i) : sparse_row_is_zero(&features->sparse, i));
        complete = complete && host[i];
    }
    cfd_status status = complete ? CFD_OK
                                 : setup_upload(m, host, (size_t)m->items, 1, "which items have a modality", present);
    memory_release(m->memory, host);
    return status;
}
