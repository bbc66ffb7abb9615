/* SPDX-License-Identifier: Apache-2.0 */
/* The product of a CSR matrix and a dense one, as the simulated cuSPARSE does it when the work runs. CSR_ALG3 sums a row in
 * its order; of the other algorithms the library does not promise the same bits each time, so they begin anywhere in the
 * row. */
#include "cusparse_spmm.h"

#include <string.h>
#include <string>

namespace cudasim {

/* The matrix, checked. */
struct csr {
    std::vector<int64_t> offsets, indices;
};

static std::string named(const spmm_work &w, const char *part)
{
    return std::string(w.name) + ": " + part;
}

static bool read_indices(const spmm_work &w, const char *part, const void *from, int64_t n, std::vector<int64_t> &out)
{
    if (n > 0 && !device_read(from, (size_t)n * (w.wide ? 8 : 4), named(w, part).c_str())) {
        return false;
    }
    out.resize((size_t)n);
    for (int64_t i = 0; i < n; i++) {
        out[(size_t)i] = w.wide ? ((const int64_t *)from)[i] : ((const int32_t *)from)[i];
    }
    return true;
}

static bool read_pattern(const spmm_work &w, csr &a)
{
    if (!read_indices(w, "A's offsets", w.offsets, w.rows + 1, a.offsets) ||
        !read_indices(w, "A's indices", w.indices, w.nonzeros, a.indices)) {
        return false;
    }
    for (int64_t i = 0; i <= w.rows; i++) {
        int64_t least = i == 0 ? 0 : a.offsets[(size_t)i - 1], most = i == 0 ? 0 : w.nonzeros;
        least = i == w.rows ? w.nonzeros : least;
        if (a.offsets[(size_t)i] < least || a.offsets[(size_t)i] > most) {
            violation("argument", "%s: A's offset %lld is %lld, not from %lld to %lld", w.name, (long long)i,
                      (long long)a.offsets[(size_t)i], (long long)least, (long long)most);
            return false;
        }
    }
    for (int64_t i = 0; i < w.nonzeros; i++) {
        if (a.indices[(size_t)i] < 0 || a.indices[(size_t)i] >= w.inner) {
            violation("argument", "%s: A's index %lld is %lld, beyond its %lld columns", w.name, (long long)i,
                      (long long)a.indices[(size_t)i], (long long)w.inner);
            return false;
        }
    }
    return true;
}

/* ---- the buffer ---- */

static uint64_t stamp_of(const spmm_work &w, const csr &a)
{
    uint64_t hash = 14695981039346656037u + (uint64_t)w.any_order;
    for (const auto *part : {&a.offsets, &a.indices}) {
        for (int64_t x : *part) {
            hash = (hash ^ (uint64_t)x) * 1099511628211u;
        }
    }
    return hash;
}

/* The first half of a prepared buffer says what it was prepared for; the rest is used anew each time. */
static bool use_buffer(const spmm_work &w, const csr &a)
{
    size_t kept = w.prepared ? w.buffer_bytes / 2 : 0;
    std::string name = named(w, "the buffer");
    if (kept > 0 && !device_read(w.buffer, kept, name.c_str())) {
        return false;
    }
    uint64_t stamp = stamp_of(w, a);
    for (size_t i = 0; i < kept; i += sizeof stamp) {
        if (memcmp(w.buffer + i, &stamp, sizeof stamp) != 0) {
            violation("argument", "%s: the buffer, or the pattern of A, changed since cusparseSpMM_preprocess", w.name);
            return false;
        }
    }
    return scribble(w.buffer + kept, w.buffer_bytes - kept, name.c_str());
}

void spmm_prepare(spmm_work w)
{
    csr a;
    if (!read_pattern(w, a) || !scribble(w.buffer, w.buffer_bytes, named(w, "the buffer").c_str())) {
        return;
    }
    uint64_t stamp = stamp_of(w, a);
    for (size_t i = 0; i < w.buffer_bytes / 2; i += sizeof stamp) {
        memcpy(w.buffer + i, &stamp, sizeof stamp);
    }
}

/* ---- operands ---- */

static runs rows_of(const spmm_dense &x, int64_t first, int64_t rows, int64_t columns)
{
    const char *from = (const char *)(x.data + first * x.by_row);
    size_t element = sizeof(float);
    return x.by_column == 1 ? runs{from, rows, x.by_row * (int64_t)element, (size_t)columns * element}
                            : runs{from, columns, x.by_column * (int64_t)element, (size_t)rows * element};
}

static bool read_values(const spmm_work &w)
{
    return w.nonzeros == 0 || device_read(w.values, (size_t)w.nonzeros * sizeof(float), named(w, "A's values").c_str());
}

/* Only the rows of B that A has columns for are read. */
static bool read_b(const spmm_work &w, const csr &a)
{
    std::vector<bool> wanted((size_t)w.inner, false);
    for (int64_t index : a.indices) {
        wanted[(size_t)index] = true;
    }
    std::string name = named(w, "B");
    for (int64_t first = 0, end; first < w.inner; first = end) {
        for (end = first + 1; end < w.inner && wanted[(size_t)end] == wanted[(size_t)first]; end++) {
        }
        if (wanted[(size_t)first] && !rows_of(w.b, first, end - first, w.columns).readable(name.c_str())) {
            return false;
        }
    }
    return true;
}

/* ---- the product ---- */

static void sum_row(const spmm_work &w, const csr &a, int64_t row, std::vector<float> &sums)
{
    int64_t begin = a.offsets[(size_t)row], length = a.offsets[(size_t)row + 1] - begin;
    int64_t start = w.any_order && length > 1 ? chance((unsigned)length) : 0;
    sums.assign((size_t)w.columns, 0.0f);
    for (int64_t i = 0; i < length; i++) {
        int64_t at = begin + (start + i) % length;
        float value = w.values[at];
        const float *b = w.b.data + a.indices[(size_t)at] * w.b.by_row;
        for (int64_t j = 0; j < w.columns; j++) {
            sums[(size_t)j] += value * b[j * w.b.by_column];
        }
    }
}

void spmm_multiply(spmm_work w)
{
    csr a;
    runs c = rows_of(w.c, 0, w.rows, w.columns);
    if (!w.alpha.load(named(w, "alpha").c_str()) || !w.beta.load(named(w, "beta").c_str()) || !read_pattern(w, a) ||
        !use_buffer(w, a) || !read_values(w) || !read_b(w, a)) {
        return;
    }
    std::string name = named(w, "C");
    float alpha = (float)w.alpha.value, beta = (float)w.beta.value;
    if ((beta != 0 && !c.readable(name.c_str())) || !c.writable(name.c_str())) {
        return;
    }
    std::vector<float> sums;
    for (int64_t i = 0; i < w.rows; i++) {
        sum_row(w, a, i, sums);
        float *to = (float *)w.c.data + i * w.c.by_row;
        for (int64_t j = 0; j < w.columns; j++, to += w.c.by_column) {
            float value = alpha * sums[(size_t)j];
            *to = beta != 0 ? value + beta * *to : value;
        }
    }
}

} /* namespace cudasim */
