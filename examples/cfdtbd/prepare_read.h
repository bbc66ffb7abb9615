/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a table of interactions: delimited text, with or without a header (docs/prepare.md). */
#ifndef PREPARE_READ_H
#define PREPARE_READ_H

#include "../common/complaint.h"
#include "../common/interactions.h"
#include "../common/names.h"

#include <stdbool.h>
#include <stdint.h>

enum column_role { COLUMN_USER, COLUMN_ITEM, COLUMN_TIME, COLUMN_RATING, COLUMN_ROLES };

typedef enum header_choice { HEADER_AUTO, HEADER_YES, HEADER_NO } header_choice;

typedef struct table_options {
    const char *columns[COLUMN_ROLES]; /* name, number from 1, or "none"; NULL: found by header or position */
    const char *delimiter;             /* the bytes between fields; NULL: found in the first line */
    header_choice header;
    double min_rating; /* rows rated lower are left out; -infinity: none */
} table_options;

/* What a table held. */
typedef struct table {
    name_table users, items;
    interaction_list interactions; /* ids are numbers of the names; repeated pairs and all */
    bool has_time, has_rating, has_header;
    char header[160];      /* has_header: its fields, cut where they do not fit */
    char no_number[64];    /* the field that made the first line a header, because it is no number; else "" */
    int64_t header_line;   /* where it stands */
    int64_t n_rows, n_low; /* rows read, and how many of them were rated lower than min_rating */
} table;

/* Fills *result, which is released with table_release. */
int table_read(table *result, const char *path, const table_options *options, complaint *problem);
/* Accepts a zeroed table. */
void table_release(table *result);

#endif
