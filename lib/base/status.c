/* SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>

static _Thread_local char last_message[1024];

void set_message(const char *format, ...)
{
    /* Formatted aside first: an argument may be the old message itself. */
    char message[sizeof last_message];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    snprintf(last_message, sizeof last_message, "%s", message);
}

const char *cfd_last_error(void)
{
    return last_message;
}

const char *cfd_status_name(cfd_status status)
{
    switch (status) {
    case CFD_OK: return "CFD_OK";
    case CFD_ERROR_ARGUMENT: return "CFD_ERROR_ARGUMENT";
    case CFD_ERROR_CONFIG: return "CFD_ERROR_CONFIG";
    case CFD_ERROR_MEMORY: return "CFD_ERROR_MEMORY";
    case CFD_ERROR_FILE: return "CFD_ERROR_FILE";
    case CFD_ERROR_FORMAT: return "CFD_ERROR_FORMAT";
    case CFD_ERROR_DATA: return "CFD_ERROR_DATA";
    case CFD_ERROR_DEVICE: return "CFD_ERROR_DEVICE";
    case CFD_ERROR_NUMERIC: return "CFD_ERROR_NUMERIC";
    case CFD_ERROR_SYSTEM: return "CFD_ERROR_SYSTEM";
    }
    return "unknown status";
}
