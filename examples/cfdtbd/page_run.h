/* SPDX-License-Identifier: Apache-2.0 */
/* A report of `cfdtbd train`, read back: checked once as a whole, then asked for values by path. */
#ifndef PAGE_RUN_H
#define PAGE_RUN_H

#include <stdbool.h>
#include <stddef.h>

enum { RUN_NAME_BYTES = 256, RUN_VALUE_BYTES = 256 };

typedef struct run_file {
    const char *path;
    char name[RUN_NAME_BYTES]; /* of the file, without folder and .json */
    void *root;                /* the parser's */
} run_file;

/* Reads and checks. Returns EXIT_DONE, or EXIT_FAILED after a message with file, place and reason. */
int run_open(run_file *run, const char *path);
void run_close(run_file *run); /* accepts a zeroed run */

#ifdef __GNUC__
#define RUN_PATH(at, first) __attribute__((format(printf, at, first)))
#else
#define RUN_PATH(at, first)
#endif

/* Values by path, "history/3/losses/total": keys and places of arrays, from 0. */

/* NaN where there is none. */
double run_number(const run_file *run, const char *path, ...) RUN_PATH(2, 3);
/* NULL where there is none. Lives as long as the run. */
const char *run_text(const run_file *run, const char *path, ...) RUN_PATH(2, 3);
bool run_true(const run_file *run, const char *path, ...) RUN_PATH(2, 3);
bool run_has(const run_file *run, const char *path, ...) RUN_PATH(2, 3); /* and not null */
/* Elements of an array or keys of an object; 0 where there is neither. */
size_t run_count(const run_file *run, const char *path, ...) RUN_PATH(2, 3);
/* The key at a place of an object, in the order of the file; NULL beyond the last. */
const char *run_key(const run_file *run, size_t place, const char *path, ...) RUN_PATH(3, 4);
/* Any scalar as it is shown, "" where there is none. Returns buffer. */
const char *run_value(const run_file *run, char buffer[RUN_VALUE_BYTES], const char *path, ...) RUN_PATH(3, 4);

#endif
