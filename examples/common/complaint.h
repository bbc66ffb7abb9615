/* SPDX-License-Identifier: Apache-2.0 */
/* One line that says what went wrong. Functions that can fail take a complaint, fill it and return -1;
 * the program prints it, so that the line bears the program's name and nothing here prints. */
#ifndef EXAMPLES_COMMON_COMPLAINT_H
#define EXAMPLES_COMMON_COMPLAINT_H

typedef struct complaint {
    char text[1024];
} complaint;

#ifdef __GNUC__
#define COMPLAINT_FORMAT(at, first) __attribute__((format(printf, at, first)))
#else
#define COMPLAINT_FORMAT(at, first)
#endif

/* Fills *problem, cut where it does not fit. Returns -1, for the caller to return. */
int complain(complaint *problem, const char *format, ...) COMPLAINT_FORMAT(2, 3);
/* The complaint of an allocation that failed. */
int complain_of_memory(complaint *problem);

#endif
