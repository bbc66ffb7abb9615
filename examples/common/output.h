/* SPDX-License-Identifier: Apache-2.0 */
/* Writing a directory all at once: files go into a new directory beside it, which then takes its place. */
#ifndef EXAMPLES_COMMON_OUTPUT_H
#define EXAMPLES_COMMON_OUTPUT_H

#include "complaint.h"
#include "interactions.h"
#include "names.h"

#include <stddef.h>
#include <stdio.h>

typedef struct output {
    char *target;             /* the directory that is to be */
    char *building;           /* where files are written meanwhile */
    const char *const *known; /* NULL-terminated: every file that the program ever writes there */
    char *path;               /* of the open file */
    FILE *stream;             /* the open file */
} output;

/* Refuses a target that exists, unless it is an empty directory or, with replace, holds nothing but known files:
 * what the program did not write is not deleted. Finds out whether a directory can be made beside it, and leaves
 * nothing there: what follows may take long, and be interrupted. `known` is kept. */
int output_begin(output *out, const char *target, const char *const *known, int replace, complaint *problem);
/* Makes the directory to build in. Until the output ends, SIGINT, SIGTERM and SIGHUP wait; the next file that is opened
 * or closed finds them and fails, and once nothing is left behind they end the program. */
int output_start(output *out, complaint *problem);

/* Opens out->stream on a file; output_close_file checks and ends it. */
int output_open_file(output *out, const char *name, complaint *problem);
int output_close_file(output *out, complaint *problem);

/* train.txt, validation.txt and test.txt: "user item item ...", the latter two only if they have any line.
 * The list is by user, then item. */
int output_interactions(output *out, const interaction_list *list, const unsigned char *splits, complaint *problem);
/* The names of the ids in a map, one a line. */
int output_names(output *out, const char *file_name, const name_table *names, const id_map *ids, complaint *problem);

/* Puts the finished directory in its place, and ends the output. */
int output_finish(output *out, complaint *problem);
/* Removes what was written, unless it was finished. Accepts a zeroed output. */
void output_abandon(output *out);

#endif
