/* SPDX-License-Identifier: Apache-2.0 */
/* Writing a file so that it is there whole or not at all: beside its place first, then renamed. */
#ifndef REPLACE_FILE_H
#define REPLACE_FILE_H

#include <stdbool.h>
#include <stdio.h>

typedef struct replacement {
    const char *path;
    char *temporary;
    FILE *file;
} replacement;

/* Whether both paths name the same place: the same name in the same folder, however it is written. */
bool replacement_same(const char *a, const char *b);

/* Each returns EXIT_DONE, or EXIT_FAILED after its message; then nothing is left on the disk. */

/* Can a file be put at this path? Asked before work that may take hours; leaves no trace. */
int replacement_check(const char *path);
int replacement_open(replacement *r, const char *path);
/* Synchronises and renames. Ends the replacement either way. */
int replacement_commit(replacement *r);
/* Ends the replacement without a trace. */
void replacement_discard(replacement *r);

#endif
