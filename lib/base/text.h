/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers to and from text, the same in every locale; growing strings. */
#ifndef CFD_BASE_TEXT_H
#define CFD_BASE_TEXT_H

#include "base/memory.h"

#define TEXT_NUMBER_BYTES 40

/* The shortest text that reads back as the same double ("0.1", "1e-05", "nan", "inf"). Returns buffer. */
const char *text_from_number(double value, char buffer[TEXT_NUMBER_BYTES]);

/* Reads a decimal number, with '.', that fills the whole text (no space around). False if it does not. */
bool text_to_number(const char *text, double *value);
/* Reads a decimal integer that fills the whole text and fits. */
bool text_to_integer(const char *text, int64_t *value);

/* How many single-character edits lead from a to b. */
size_t text_distance(const char *a, const char *b);

/* A name that may stand in files and keys: 1 to 63 letters, digits, '_' or '-'. */
bool text_is_name(const char *text);

/* A string that grows. Zero-initialise; release with text_buffer_release. */
typedef struct text_buffer {
    const memory_source *source; /* set by the owner before use */
    char *bytes;                 /* NUL-terminated once anything was appended */
    size_t length, capacity;
} text_buffer;

cfd_status text_append(text_buffer *buffer, const char *bytes, size_t length);
cfd_status text_append_format(text_buffer *buffer, const char *format, ...) CFD_PRINTF(2, 3);
void text_buffer_release(text_buffer *buffer);

#endif
