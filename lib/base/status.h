/* SPDX-License-Identifier: Apache-2.0 */
/* Statuses and the calling thread's message. A function that fails says why once, where it knows most. */
#ifndef CFD_BASE_STATUS_H
#define CFD_BASE_STATUS_H

#include "cfdtbd.h"

#if defined(__GNUC__)
#define CFD_PRINTF(format_at, arguments_at) __attribute__((format(printf, format_at, arguments_at)))
#else
#define CFD_PRINTF(format_at, arguments_at)
#endif

/* Sets the thread's message. Numbers with a fraction go through text_from_number (text.h), since %g follows the host's
 * locale. */
void set_message(const char *format, ...) CFD_PRINTF(1, 2);

/* The status, with a message that says why. A macro so that the compiler sees which status it is. */
#define fail(status, ...) (set_message(__VA_ARGS__), (status))

/* Out of memory: names what for and how much. */
#define fail_memory(what, bytes) fail(CFD_ERROR_MEMORY, "out of memory: %zu bytes for %s", (size_t)(bytes), (what))

/* Leaves the enclosing function with the first failure. */
#define TRY(expression)                       \
    do {                                      \
        cfd_status try_status = (expression); \
        if (try_status != CFD_OK) {           \
            return try_status;                \
        }                                     \
    } while (0)

/* Goes to a clean-up label with `status` set to the first failure. */
#define TRY_OR(label, expression) \
    do {                          \
        status = (expression);    \
        if (status != CFD_OK) {   \
            goto label;           \
        }                         \
    } while (0)

#endif
