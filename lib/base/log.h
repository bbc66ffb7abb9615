/* SPDX-License-Identifier: Apache-2.0 */
/* Messages to the host's callback; nowhere else. */
#ifndef CFD_BASE_LOG_H
#define CFD_BASE_LOG_H

#include "base/status.h"

typedef struct log_sink {
    cfd_log_function function; /* NULL: silent */
    void *user;
} log_sink;

void log_message(const log_sink *sink, cfd_log_level level, const char *format, ...) CFD_PRINTF(3, 4);

#endif
