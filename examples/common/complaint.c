/* SPDX-License-Identifier: Apache-2.0 */
/* One line that says what went wrong: see complaint.h. */
#include "complaint.h"

#include <stdarg.h>
#include <stdio.h>

int complain(complaint *problem, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(problem->text, sizeof(problem->text), format, arguments);
    va_end(arguments);
    /* What is quoted from a file must not break the line or steer the terminal. */
    for (char *c = problem->text; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ' || *c == 127) {
            *c = '?';
        }
    }
    return -1;
}

int complain_of_memory(complaint *problem)
{
    return complain(problem, "out of memory");
}
