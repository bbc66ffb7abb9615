/* SPDX-License-Identifier: Apache-2.0 */
/* How messages name files, what the system said of them, and bytes that came from outside. */
#ifndef CFD_IO_REPORT_H
#define CFD_IO_REPORT_H

#include "base/status.h"

#define REPORT_BYTES 80

/* CFD_ERROR_FILE: "cannot ACTION PATH: what the system says of `error`" (an errno). */
cfd_status fail_file(const char *action, const char *path, int error);

/* Bytes from outside made fit for a one-line message: what is not printable ASCII becomes \xNN, what is too long ends in
 * "...". Returns buffer. */
const char *report_bytes(const void *bytes, size_t n, char buffer[REPORT_BYTES]);

#endif
