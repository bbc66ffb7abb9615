/* SPDX-License-Identifier: Apache-2.0 */
#include "io/npy_write.h"

#include <stdio.h>
#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "numbers are written as they stand in memory, which must be little-endian"
#endif

enum {
    PREAMBLE = 10, /* magic, version 1.0, length of the text in two bytes, lowest first */
    HEADER = 128,  /* the longest text has 77 bytes: any two numbers of 32 bits fit */
};

/* The text ends with a newline, and blanks stand before it. */
static void make_header(int32_t rows, int32_t columns, unsigned char header[HEADER])
{
    static const unsigned char preamble[PREAMBLE] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, HEADER - PREAMBLE, 0};
    char text[HEADER - PREAMBLE];
    int length = snprintf(text, sizeof text, "{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }", (int)rows,
                          (int)columns);
    memset(header, ' ', HEADER);
    memcpy(header, preamble, PREAMBLE);
    memcpy(header + PREAMBLE, text, (size_t)length);
    header[HEADER - 1] = '\n';
}

cfd_status npy_write(atomic_file *file, int32_t rows, int32_t columns, const float *values)
{
    unsigned char header[HEADER];
    make_header(rows, columns, header);
    TRY(atomic_file_write(file, header, sizeof header));
    return atomic_file_write(file, values, (size_t)rows * (size_t)columns * sizeof *values);
}
