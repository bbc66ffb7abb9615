/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L /* strerror_r that returns int */
#include "io/report.h"

#include <stdio.h>
#include <string.h>

cfd_status fail_file(const char *action, const char *path, int error)
{
    char reason[256];
    if (strerror_r(error, reason, sizeof reason) != 0) {
        snprintf(reason, sizeof reason, "error %d", error);
    }
    return fail(CFD_ERROR_FILE, "cannot %s %s: %s", action, path, reason);
}

const char *report_bytes(const void *bytes, size_t n, char buffer[REPORT_BYTES])
{
    static const char hex[] = "0123456789abcdef";
    const unsigned char *from = bytes;
    size_t length = 0;
    for (size_t i = 0; i < n; i++) {
        if (length > REPORT_BYTES - 8) { /* room for one more \xNN or for the dots */
            memcpy(buffer + length, "...", 3);
            length += 3;
            break;
        }
        if (from[i] >= 0x20 && from[i] < 0x7f) {
            buffer[length++] = (char)from[i];
        } else {
            buffer[length++] = '\\';
            buffer[length++] = 'x';
            buffer[length++] = hex[from[i] >> 4];
            buffer[length++] = hex[from[i] & 15];
        }
    }
    buffer[length] = '\0';
    return buffer;
}
