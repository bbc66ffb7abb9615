/* SPDX-License-Identifier: Apache-2.0 */
/* Keeping constant features: rounded once, on the host, to what their products want. */
#include "kept_features.h"

#include "base/half.h"

#include <string.h>

static const size_t STAGE_BYTES = (size_t)8 << 20;   /* of rows that are rounded at once */
static const size_t RESERVE_SHARE = 8;               /* this part of the device is left to everything else, */
static const size_t PLACE_SHARE = 8;                 /* and a place takes this part of what is free, */
static const size_t PLACE_BYTES = (size_t)256 << 20; /* at most so much */

/* ---- numbers ---- */

static float number_at(const ops_feature_source *f, int64_t row, int64_t column)
{
    int64_t at = row * f->ld + column;
    switch (f->element) {
    case OPS_FLOAT32: return ((const float *)f->dense)[at];
    case OPS_FLOAT16: return half_to_float(((const uint16_t *)f->dense)[at]);
    case OPS_BFLOAT16: return bfloat16_to_float(((const uint16_t *)f->dense)[at]);
    }
    return 0;
}

/* What is made of a number on its way: what the features are stored in, then what products want. */
typedef struct rounding {
    ops_element storage; /* FLOAT32: as it is */
    ops_element element;
    bool low; /* of the two halves */
} rounding;

static float stored(const rounding *r, float value)
{
    return r->storage == OPS_FLOAT16    ? half_to_float(float_to_half(value))
           : r->storage == OPS_BFLOAT16 ? bfloat16_to_float(float_to_bfloat16(value))
                                        : value;
}

static void put_number(const rounding *r, float value, void *to, size_t at)
{
    if (r->element == OPS_FLOAT32) {
        ((float *)to)[at] = value;
    } else if (r->element == OPS_FLOAT16) {
        ((uint16_t *)to)[at] = float_to_half(value);
    } else {
        uint16_t high = float_to_bfloat16(value);
        ((uint16_t *)to)[at] = r->low ? float_to_bfloat16(value - bfloat16_to_float(high)) : high;
    }
}

/* False where a number is infinite in the type that was asked for, be it of storage or of products. */
static bool round_rows(const ops_feature_source *source, const rounding *r, int64_t first, int64_t rows, void *to)
{
    bool shortened = r->element == OPS_BFLOAT16 && source->element != OPS_BFLOAT16;
    bool asked = shortened || (r->storage != OPS_FLOAT32 && r->storage != source->element);
    size_t at = 0;
    bool finite = true;
    for (int64_t row = first; row < first + rows; row++) {
        for (int64_t column = 0; column < source->columns; column++, at++) {
            float value = stored(r, number_at(source, row, column));
            float kept = shortened ? bfloat16_to_float(float_to_bfloat16(value)) : value;
            finite = finite && (!asked || kept - kept == 0);
            put_number(r, value, to, at);
        }
    }
    return finite;
}

/* ---- dense: on the device ---- */

static size_t part_bytes(const ops_features *f)
{
    return (size_t)f->rows * (size_t)f->columns * ops_element_bytes(f->element);
}

static cfd_status infinite(const cuda_ops *c, const rounding *r)
{
    return cuda_fail(c, CFD_ERROR_DATA, "features hold numbers that are infinite as %s",
                     r->storage == OPS_FLOAT16 ? "float16" : "bfloat16");
}

/* The context's allocator may give pinned memory, which is read later than a copy's call returns: before it is written again
 * or given back, the copies must have been made. */
static cfd_status wait_for_copies(cuda_ops *c)
{
    return cuda_check(c, cudaStreamSynchronize(c->stream), "features");
}

/* Rounds and copies one part, some rows at a time. Pinned memory is written where it is. */
static cfd_status fill_part(cuda_ops *c, const ops_feature_source *source, const rounding *r, ops_features *f, void *part)
{
    size_t row_bytes = (size_t)f->columns * ops_element_bytes(f->element);
    if (f->streamed) {
        return round_rows(source, r, 0, f->rows, part) ? CFD_OK : infinite(c, r);
    }
    int64_t rows = (int64_t)(STAGE_BYTES / row_bytes);
    rows = rows < 1 ? 1 : rows < f->rows ? rows : f->rows;
    void *stage;
    TRY(c->host->allocate(c->base.memory, (size_t)rows, row_bytes, "features", &stage));
    cfd_status status = CFD_OK;
    for (int64_t first = 0; first < f->rows && status == CFD_OK; first += rows) {
        int64_t n = f->rows - first < rows ? f->rows - first : rows;
        status = round_rows(source, r, first, n, stage) ? CFD_OK : infinite(c, r);
        if (status == CFD_OK) {
            status = cuda_check(c,
                                cudaMemcpyAsync((char *)part + (size_t)first * row_bytes, stage, (size_t)n * row_bytes,
                                                cudaMemcpyHostToDevice, c->stream),
                                "features");
        }
        status = status == CFD_OK ? wait_for_copies(c) : status;
    }
    c->host->release(c->base.memory, stage);
    return status;
}

/* ---- dense: streamed ---- */

static cfd_status make_places(cuda_ops *c, ops_features *f, size_t free_bytes, int parts)
{
    size_t row_bytes = (size_t)f->columns * ops_element_bytes(f->element);
    size_t most = free_bytes / PLACE_SHARE / (size_t)parts;
    most = most < PLACE_BYTES ? most : PLACE_BYTES;
    f->block_rows = (int64_t)(most / row_bytes);
    f->block_rows = f->block_rows < 1 ? 1 : f->block_rows < f->rows ? f->block_rows : f->rows;
    for (int k = 0; k < 2; k++) {
        for (int part = 0; part < parts; part++) {
            size_t bytes = (size_t)f->block_rows * row_bytes;
            TRY(cuda_allocate_bytes(c, bytes, "a block of features", &f->place[k][part]));
            f->bytes += bytes;
        }
        TRY(cuda_check(c, cudaEventCreateWithFlags(&f->filled[k], cudaEventDisableTiming), "features"));
        TRY(cuda_check(c, cudaEventCreateWithFlags(&f->drained[k], cudaEventDisableTiming), "features"));
    }
    TRY(cuda_check(c, cudaEventCreateWithFlags(&f->begun, cudaEventDisableTiming), "features"));
    return cuda_check(c, cudaStreamCreateWithFlags(&f->copies, cudaStreamNonBlocking), "features");
}

static cfd_status allocate_parts(cuda_ops *c, ops_features *f, int parts)
{
    size_t free_bytes = 0;
    size_t total = 0;
    TRY(cuda_check(c, cudaMemGetInfo(&free_bytes, &total), "features"));
    size_t reserve = total / RESERVE_SHARE;
    f->streamed = part_bytes(f) * (size_t)parts > (free_bytes > reserve ? free_bytes - reserve : 0);
    for (int part = 0; part < parts; part++) {
        if (!f->streamed) {
            TRY(cuda_allocate_bytes(c, part_bytes(f), "features", &f->part[part]));
        } else if (cudaHostAlloc(&f->part[part], part_bytes(f), cudaHostAllocDefault) != cudaSuccess) {
            (void)cudaGetLastError();
            f->part[part] = nullptr;
            return cuda_fail(
                c, CFD_ERROR_MEMORY,
                "out of memory: %zu bytes of pinned memory for features that do not fit %s (%zu of %zu bytes free)",
                part_bytes(f), c->name, free_bytes, total);
        }
        f->bytes += part_bytes(f);
    }
    return f->streamed ? make_places(c, f, free_bytes, parts) : CFD_OK;
}

static cfd_status keep_dense(cuda_ops *c, const ops_feature_source *source, const ops_feature_options *options,
                             ops_features *f)
{
    rounding r = {options ? options->storage : OPS_FLOAT32, OPS_FLOAT32, false};
    ops_element as_stored = r.storage != OPS_FLOAT32 ? r.storage : source->element;
    bool short_products = f->precision == OPS_PRECISION_BF16 || f->precision == OPS_PRECISION_BF16X3;
    r.element = short_products ? OPS_BFLOAT16 : as_stored;
    f->element = r.element;
    int parts = f->precision == OPS_PRECISION_BF16X3 && as_stored != OPS_BFLOAT16 ? 2 : 1; /* a low half of zeros is none */
    TRY(allocate_parts(c, f, parts));
    for (int part = 0; part < parts; part++) {
        r.low = part == 1;
        TRY(fill_part(c, source, &r, f, f->part[part]));
    }
    return CFD_OK;
}

/* ---- sparse ---- */

static cfd_status upload_array(cuda_ops *c, ops_features *f, const void *host, size_t bytes, void *out)
{
    void *device;
    TRY(cuda_allocate_bytes(c, bytes, "sparse features", &device));
    *(void **)out = device;
    f->bytes += bytes;
    return bytes == 0 ? CFD_OK
                      : cuda_check(c, cudaMemcpyAsync(device, host, bytes, cudaMemcpyHostToDevice, c->stream), "features");
}

static cfd_status upload_csr(cuda_ops *c, ops_features *f, const ops_csr *host, ops_csr *out)
{
    out->rows = host->rows;
    out->columns = host->columns;
    out->nonzeros = host->nonzeros;
    size_t n = (size_t)host->nonzeros;
    TRY(upload_array(c, f, host->offsets, ((size_t)host->rows + 1) * sizeof *host->offsets, &out->offsets));
    TRY(upload_array(c, f, host->indices, n * sizeof *host->indices, &out->indices));
    return upload_array(c, f, host->values, n * sizeof *host->values, &out->values);
}

/* A counting sort by column: rows stay in order within each. */
static void transpose(const ops_csr *g, int64_t *offsets, int32_t *indices, float *values)
{
    memset(offsets, 0, ((size_t)g->columns + 1) * sizeof *offsets);
    for (int64_t p = 0; p < g->nonzeros; p++) {
        offsets[g->indices[p] + 1]++;
    }
    for (int32_t c = 0; c < g->columns; c++) {
        offsets[c + 1] += offsets[c];
    }
    for (int32_t row = 0; row < g->rows; row++) {
        for (int64_t p = g->offsets[row]; p < g->offsets[row + 1]; p++) {
            int64_t to = offsets[g->indices[p]]++;
            indices[to] = row;
            values[to] = g->values[p];
        }
    }
    memmove(offsets + 1, offsets, (size_t)g->columns * sizeof *offsets); /* each has become where the next one begins */
    offsets[0] = 0;
}

static cfd_status keep_sparse(cuda_ops *c, const ops_csr *source, ops_features *f)
{
    TRY(upload_csr(c, f, source, &f->forward));
    size_t n = (size_t)source->nonzeros;
    int64_t *offsets = nullptr;
    int32_t *indices = nullptr;
    float *values = nullptr;
    const memory_source *memory = c->base.memory;
    cfd_status status = c->host->allocate(memory, (size_t)source->columns + 1, sizeof *offsets, "sparse features", &offsets);
    status = status == CFD_OK ? c->host->allocate(memory, n, sizeof *indices, "sparse features", &indices) : status;
    status = status == CFD_OK ? c->host->allocate(memory, n, sizeof *values, "sparse features", &values) : status;
    if (status == CFD_OK) {
        transpose(source, offsets, indices, values);
        ops_csr turned = {source->columns, source->rows, source->nonzeros, offsets, indices, values};
        status = upload_csr(c, f, &turned, &f->transposed);
        cfd_status waited = wait_for_copies(c);
        status = status == CFD_OK ? waited : status;
    }
    c->host->release(memory, values);
    c->host->release(memory, indices);
    c->host->release(memory, offsets);
    return status;
}

/* ---- making and ending ---- */

static void free_const(const void *memory)
{
    union {
        const void *from;
        void *to;
    } cast = {memory};
    cudaFree(cast.to);
}

void cuda_features_destroy(ops *o, ops_features *f)
{
    if (!f) {
        return;
    }
    device_scope here(o);
    cuda_ops *c = cuda_of(o);
    cudaStreamSynchronize(c->stream); /* products may still read pinned memory */
    for (int k = 0; k < 2; k++) {
        if (f->streamed) {
            cudaFreeHost(f->part[k]);
        } else {
            cudaFree(f->part[k]);
        }
        cudaFree(f->place[k][0]);
        cudaFree(f->place[k][1]);
        if (f->filled[k]) {
            cudaEventDestroy(f->filled[k]);
        }
        if (f->drained[k]) {
            cudaEventDestroy(f->drained[k]);
        }
    }
    if (f->begun) {
        cudaEventDestroy(f->begun);
    }
    if (f->copies) {
        cudaStreamDestroy(f->copies);
    }
    const ops_csr *both[] = {&f->forward, &f->transposed};
    for (int k = 0; k < 2; k++) {
        free_const(both[k]->offsets);
        free_const(both[k]->indices);
        free_const(both[k]->values);
    }
    c->host->release(c->base.memory, f);
}

cfd_status cuda_features_create(ops *o, const ops_feature_source *source, const ops_feature_options *options,
                                ops_features **out)
{
    device_scope here(o);
    cuda_ops *c = cuda_of(o);
    ops_features *f;
    TRY(c->host->allocate(c->base.memory, 1, sizeof *f, "features", &f));
    memset((void *)f, 0, sizeof *f);
    f->rows = source->rows;
    f->columns = source->columns;
    f->precision = options ? options->precision : OPS_PRECISION_FLOAT32;
    cfd_status status = source->dense ? keep_dense(c, source, options, f) : keep_sparse(c, &source->sparse, f);
    if (status != CFD_OK) {
        cuda_features_destroy(o, f);
        return status;
    }
    *out = f;
    return CFD_OK;
}

size_t cuda_features_bytes(const ops *, const ops_features *f)
{
    return f->bytes;
}
