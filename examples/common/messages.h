/* SPDX-License-Identifier: Apache-2.0 */
/* What every program shares: exit codes, one-line messages on stderr, names shown to people. */
#ifndef EXAMPLES_COMMON_MESSAGES_H
#define EXAMPLES_COMMON_MESSAGES_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __GNUC__
#define MESSAGE_FORMAT(text, first) __attribute__((format(printf, text, first)))
#else
#define MESSAGE_FORMAT(text, first)
#endif

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* Whose messages these are ("cfdtbd"), and what is called before each, NULL for nothing. To be called first of all;
 * the name is kept. */
void messages_begin(const char *program, void (*before)(void));
const char *program_name(void);

/* Each prints exactly one line, "PROGRAM: MESSAGE" (control characters shown as '?'), and returns the exit code. */
int failed(const char *format, ...) MESSAGE_FORMAT(1, 2);
int usage_error(const char *format, ...) MESSAGE_FORMAT(1, 2);
int out_of_memory(void);

/* "PROGRAM: warning: MESSAGE" and "PROGRAM: MESSAGE". */
void warn(const char *format, ...) MESSAGE_FORMAT(1, 2);
void say(const char *format, ...) MESSAGE_FORMAT(1, 2);

/* Flushes stdout. A full disk or a closed pipe turns `code` into EXIT_FAILED, with a line that says so. */
int finish_output(int code);

/* Bytes of the UTF-8 sequence at text, or 0 if there is none: overlong forms, surrogates and values beyond U+10FFFF are
 * refused. */
size_t utf8_length(const char *text);
/* Prints text on stdout that came from a file or the command line: control characters, and bytes that are no UTF-8,
 * as \n, \t or \x1b, lest they break the line or steer the terminal. */
void print_shown(const char *text);

#endif
