/* SPDX-License-Identifier: Apache-2.0 */
/* What a request asks, read strictly: a parameter that the endpoint does not know, that repeats, that is no number of its
 * range or is missing is refused with a message. Nothing here knows a connection. */
#ifndef SERVICE_QUESTIONS_H
#define SERVICE_QUESTIONS_H

#include "../common/complaint.h"

#include <cfdtbd.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MAX_K = 1000, MAX_LIST = 1000, ROLE_BYTES = 64 };

typedef enum endpoint {
    ENDPOINT_RECOMMEND,
    ENDPOINT_SIMILAR,
    ENDPOINT_EXPLAIN,
    ENDPOINT_FOLD_IN,
    ENDPOINT_HEALTH,
    ENDPOINT_METRICS,
    ENDPOINT_NONE, /* every other path */
    N_ENDPOINTS
} endpoint;

typedef struct question {
    endpoint asked;
    unsigned given; /* a bit for each parameter that was set */
    int32_t user, item, k, exclude_seen;
    cfd_part part;
    char role[ROLE_BYTES]; /* "": none */
    int32_t items[MAX_LIST];
    size_t n_items;
} question;

endpoint endpoint_of(const char *path);
/* "recommend"; "other" for ENDPOINT_NONE. */
const char *endpoint_name(endpoint e);
/* Whether its parameters may come in a body, too. */
bool endpoint_takes_body(endpoint e);

void question_begin(question *q, endpoint asked);
/* Takes one parameter; value may be NULL, which no parameter accepts. Returns -1 with *problem filled where it is
 * refused. */
int question_set(question *q, const char *name, const char *value, complaint *problem);
/* Takes all parameters of a form, "name=value&name=value", which is overwritten. */
int question_set_form(question *q, char *form, complaint *problem);
/* Whether all is there that the endpoint needs. */
int question_check(const question *q, complaint *problem);

/* Undoes %XX in place; where that would give a byte of zero, which would cut the text short, the text is left as it is.
 * Returns its length. */
size_t unescape(char *text);

#endif
