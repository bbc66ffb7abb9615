/* SPDX-License-Identifier: Apache-2.0 */
/* See profile_count.h. */
#include "ops/profile_count.h"

#include "ops/host.h"

/* One number of the backend's memory. */
static cfd_status read_number(ops *o, const int32_t *from, int32_t *out)
{
    host_view view = {0};
    TRY(host_view_open(o, from, sizeof *from, &view));
    *out = *(const int32_t *)view.data;
    host_view_close(o, &view);
    return CFD_OK;
}

static cfd_status count_listed(ops *o, const ops_csr *g, ops_rows output, spmm_count *n)
{
    host_view rows = {0};
    host_view offsets = {0};
    int32_t count;
    cfd_status status;
    TRY(read_number(o, output.count, &count));
    TRY_OR(end, host_view_open(o, output.rows, (size_t)count * sizeof *output.rows, &rows));
    TRY_OR(end, host_view_open(o, g->offsets, ((size_t)g->rows + 1) * sizeof *g->offsets, &offsets));
    const int32_t *listed = rows.data;
    const int64_t *begin = offsets.data;
    n->rows = count;
    n->nonzeros = 0;
    for (int32_t k = 0; k < count; k++) {
        n->nonzeros += begin[listed[k] + 1] - begin[listed[k]];
    }
end:
    host_view_close(o, &offsets);
    host_view_close(o, &rows);
    return status;
}

static cfd_status count_met(ops *o, const ops_csr *g, const int32_t *input_slots, spmm_count *n)
{
    host_view slots = {0};
    host_view indices = {0};
    cfd_status status;
    TRY_OR(end, host_view_open(o, input_slots, (size_t)g->columns * sizeof *input_slots, &slots));
    TRY_OR(end, host_view_open(o, g->indices, (size_t)g->nonzeros * sizeof *g->indices, &indices));
    const int32_t *slot_of = slots.data;
    const int32_t *columns = indices.data;
    for (int64_t p = 0; p < g->nonzeros; p++) {
        n->met += slot_of[columns[p]] >= 0;
    }
    for (int32_t c = 0; c < g->columns; c++) {
        n->present += slot_of[c] >= 0;
    }
end:
    host_view_close(o, &indices);
    host_view_close(o, &slots);
    return status;
}

cfd_status count_spmm(ops *o, const ops_csr *g, ops_rows output, const int32_t *input_slots, const ops_addend *addend,
                      spmm_count *out)
{
    *out = (spmm_count){.rows = g->rows, .nonzeros = g->nonzeros};
    if (output.rows) {
        TRY(count_listed(o, g, output, out));
    }
    if (input_slots) {
        TRY(count_met(o, g, input_slots, out));
    }
    int32_t added = 0;
    if (addend) {
        TRY(count_rows(o, addend->batch, &added));
    }
    out->added = added;
    return CFD_OK;
}

cfd_status count_rows(ops *o, const ops_batch *batch, int32_t *out)
{
    return read_number(o, batch->count, out);
}

cfd_status count_users_and_positives(ops *o, const ops_batch *batch, int32_t *out)
{
    host_view offsets = {0};
    host_view occurrences = {0};
    int32_t count;
    cfd_status status;
    TRY(count_rows(o, batch, &count));
    TRY_OR(end, host_view_open(o, batch->offsets, ((size_t)count + 1) * sizeof *batch->offsets, &offsets));
    TRY_OR(end, host_view_open(o, batch->occurrences, 3 * (size_t)batch->size * sizeof *batch->occurrences, &occurrences));
    const int32_t *begin = offsets.data;
    const int32_t *who = occurrences.data;
    *out = 0;
    for (int32_t k = 0; k < count; k++) {
        bool counts = false;
        for (int32_t p = begin[k]; p < begin[k + 1]; p++) {
            counts = counts || who[p] % 3 != 2;
        }
        *out += counts;
    }
end:
    host_view_close(o, &occurrences);
    host_view_close(o, &offsets);
    return status;
}
