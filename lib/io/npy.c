/* SPDX-License-Identifier: Apache-2.0 */
#include "io/npy.h"
#include "io/npy_header.h"
#include "io/report.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ---- opening ---- */

static cfd_status truncated(const char *path, const char *part, uint64_t missing)
{
    return fail(CFD_ERROR_FORMAT, "%s: truncated: %llu bytes of the %s are missing", path, (unsigned long long)missing,
                part);
}

/* Magic, version, length of the header: then its text. */
static cfd_status find_header(const char *path, const mapped_file *map, const char **text, size_t *length)
{
    static const unsigned char magic[6] = {0x93, 'N', 'U', 'M', 'P', 'Y'};
    const unsigned char *bytes = map->memory;
    size_t compared = map->bytes < sizeof magic ? map->bytes : sizeof magic;
    if (memcmp(bytes, magic, compared) != 0) {
        return fail(CFD_ERROR_FORMAT, "%s: not a .npy file: it does not begin with \\x93NUMPY", path);
    }
    if (map->bytes < 10) {
        return truncated(path, "preamble", 10 - map->bytes);
    }
    unsigned major = bytes[6];
    if (major < 1 || major > 3 || bytes[7] != 0) {
        return fail(CFD_ERROR_FORMAT, "%s: .npy version %u.%u cannot be read, only 1.0, 2.0 and 3.0", path, major,
                    (unsigned)bytes[7]);
    }
    size_t before = major == 1 ? 10 : 12;
    if (map->bytes < before) {
        return truncated(path, "preamble", before - map->bytes);
    }
    uint64_t claimed = (uint64_t)bytes[8] | (uint64_t)bytes[9] << 8;
    if (major > 1) {
        claimed |= (uint64_t)bytes[10] << 16 | (uint64_t)bytes[11] << 24;
    }
    if (claimed > map->bytes - before) {
        return truncated(path, "header", claimed - (map->bytes - before));
    }
    *text = (const char *)bytes + before;
    *length = (size_t)claimed;
    return CFD_OK;
}

/* '<f4', '>f8', '=f2', '|f4': byte order, kind, width. */
static cfd_status read_type(const char *path, const npy_header *header, npy_file *file)
{
    static const uint16_t one = 1;
    unsigned char lowest_first;
    memcpy(&lowest_first, &one, 1);
    const char *descr = header->descr;
    bool known = header->descr_length == 3 && memchr("<>=|", descr[0], 4) && descr[1] == 'f' && memchr("248", descr[2], 3);
    if (!known) {
        char shown[REPORT_BYTES];
        return fail(CFD_ERROR_FORMAT, "%s: dtype '%s' cannot be read, only float16, float32 and float64", path,
                    report_bytes(descr, header->descr_length, shown));
    }
    file->element_bytes = descr[2] - '0';
    file->swapped = descr[0] == (lowest_first ? '>' : '<');
    return CFD_OK;
}

static cfd_status read_shape(const char *path, const npy_header *header, npy_file *file)
{
    if (header->rank != 1 && header->rank != 2) {
        return fail(CFD_ERROR_FORMAT, "%s: an array of %d dimensions; a matrix, one row per item, was expected", path,
                    (int)header->rank);
    }
    int64_t rows = header->shape[0];
    int64_t columns = header->rank == 2 ? header->shape[1] : 1;
    if (rows < 1 || columns < 1) {
        return fail(CFD_ERROR_FORMAT, "%s: a matrix of %lld x %lld has no content", path, (long long)rows,
                    (long long)columns);
    }
    if (rows >= INT32_MAX || columns >= INT32_MAX) {
        return fail(CFD_ERROR_FORMAT, "%s: a matrix of %lld x %lld is beyond %d in one direction", path, (long long)rows,
                    (long long)columns, INT32_MAX - 1);
    }
    file->rows = (int32_t)rows;
    file->columns = (int32_t)columns;
    file->by_columns = header->fortran_order && rows > 1 && columns > 1;
    return CFD_OK;
}

static cfd_status read_mapped(const char *path, npy_file *file)
{
    const char *text = NULL;
    size_t length = 0;
    npy_header header = {0};
    TRY(find_header(path, &file->map, &text, &length));
    TRY(npy_header_parse(path, text, length, &header));
    TRY(read_type(path, &header, file));
    TRY(read_shape(path, &header, file));
    file->data = (const unsigned char *)text + length;
    size_t there = file->map.bytes - (size_t)(file->data - (const unsigned char *)file->map.memory);
    size_t needed;
    if (!checked_multiply((size_t)file->columns * (size_t)file->element_bytes, (size_t)file->rows, &needed)) {
        return fail(CFD_ERROR_FORMAT, "%s: truncated: no file can hold %d x %d numbers", path, (int)file->rows,
                    (int)file->columns);
    }
    if (there < needed) {
        return truncated(path, "data", needed - there);
    }
    if (there > needed) {
        return fail(CFD_ERROR_FORMAT, "%s: %llu bytes behind the data of %d x %d numbers", path,
                    (unsigned long long)(there - needed), (int)file->rows, (int)file->columns);
    }
    return CFD_OK;
}

cfd_status npy_open(const char *path, npy_file *out)
{
    npy_file file = {0};
    TRY(map_file(path, MAP_RESIDENT, false, &file.map));
    cfd_status status = read_mapped(path, &file);
    if (status != CFD_OK) {
        npy_close(&file);
        return status;
    }
    *out = file;
    return CFD_OK;
}

void npy_close(npy_file *file)
{
    unmap_file(&file->map);
    *file = (npy_file){0};
}

/* ---- the numbers ---- */

const void *npy_in_place(const npy_file *file)
{
    bool usable = file->element_bytes == npy_read_bytes(file) && !file->swapped && !file->by_columns &&
                  (uintptr_t)file->data % (uintptr_t)file->element_bytes == 0;
    return usable ? file->data : NULL;
}

static inline uint16_t load_2(const unsigned char *from, bool swapped)
{
    uint16_t bits;
    memcpy(&bits, from, sizeof bits);
    return swapped ? __builtin_bswap16(bits) : bits;
}

static inline float load_4(const unsigned char *from, bool swapped)
{
    uint32_t bits;
    float value;
    memcpy(&bits, from, sizeof bits);
    bits = swapped ? __builtin_bswap32(bits) : bits;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline float load_8(const unsigned char *from, bool swapped)
{
    uint64_t bits;
    double value;
    memcpy(&bits, from, sizeof bits);
    bits = swapped ? __builtin_bswap64(bits) : bits;
    memcpy(&value, &bits, sizeof value);
    if (value > (double)FLT_MAX) {
        return INFINITY;
    }
    return value < -(double)FLT_MAX ? -INFINITY : (float)value;
}

/* n numbers, `step` bytes apart in the file. The choice of the width stands outside the loops. */
static void convert_row(const npy_file *file, const unsigned char *from, size_t step, void *to, size_t n)
{
    bool swapped = file->swapped;
    if (file->element_bytes == 2) {
        for (size_t c = 0; c < n; c++) {
            ((uint16_t *)to)[c] = load_2(from + c * step, swapped);
        }
    } else if (file->element_bytes == 4) {
        for (size_t c = 0; c < n; c++) {
            ((float *)to)[c] = load_4(from + c * step, swapped);
        }
    } else {
        for (size_t c = 0; c < n; c++) {
            ((float *)to)[c] = load_8(from + c * step, swapped);
        }
    }
}

static void convert_rows(const npy_file *file, int64_t begin, int64_t end, int64_t left, int64_t right, unsigned char *to)
{
    size_t element = (size_t)file->element_bytes;
    size_t row_step = element * (file->by_columns ? 1 : (size_t)file->columns);
    size_t column_step = element * (file->by_columns ? (size_t)file->rows : 1);
    for (int64_t row = begin; row < end; row++) {
        size_t place = (size_t)row * (size_t)file->columns + (size_t)left;
        convert_row(file, file->data + (size_t)row * row_step + (size_t)left * column_step, column_step,
                    to + place * (size_t)npy_read_bytes(file), (size_t)(right - left));
    }
}

cfd_status npy_convert(const memory_source *memory, const npy_file *file, void *out)
{
    size_t numbers;
    if (!checked_multiply((size_t)file->rows, (size_t)file->columns, &numbers)) {
        return fail_memory("features", SIZE_MAX);
    }
    unsigned char *values;
    TRY(memory_allocate(memory, numbers, (size_t)npy_read_bytes(file), "features", &values));
    if (!file->by_columns) {
        convert_rows(file, 0, file->rows, 0, file->columns, values);
    } else {
        /* Squares, so that neither side of the transposition leaves the cache. */
        enum { SIDE = 64 };
        for (int64_t row = 0; row < file->rows; row += SIDE) {
            int64_t row_end = file->rows - row < SIDE ? file->rows : row + SIDE;
            for (int64_t column = 0; column < file->columns; column += SIDE) {
                int64_t column_end = file->columns - column < SIDE ? file->columns : column + SIDE;
                convert_rows(file, row, row_end, column, column_end, values);
            }
        }
    }
    *(void **)out = values;
    return CFD_OK;
}
