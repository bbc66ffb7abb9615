/* SPDX-License-Identifier: Apache-2.0 */
/* Ranking metrics as the program takes and shows them: cut-offs from "5,10,20", a table, JSON. */
#ifndef METRICS_H
#define METRICS_H

#include "json.h"
#include "program.h"

#define MAX_CUTOFF 1000

/* Distinct, in the order in which they were given. */
typedef struct cutoffs {
    int32_t ks[MAX_CUTOFF];
    size_t n;
} cutoffs;

/* "5,10,20"; NULL means just that. Returns -1, or the exit code after its message. */
int cutoffs_parse(const char *command, const char *text, cutoffs *out);

/* "hr@5": .., for every metric and cut-off, into an open object. */
void metrics_json(json *j, const cfd_metrics *metrics, size_t n);

/* A row per metric and cut-off, a column per ranking. */
void metrics_table(const char *const *titles, const cfd_metrics *const *rankings, size_t n_rankings, size_t n);

/* "full" or "sampled" of a config or option. */
cfd_protocol protocol_from_name(const char *name);

/* "test set, full ranking, 60 users" */
void evaluation_title(const char *split, const char *protocol, int32_t negatives, size_t n_users);

#endif
