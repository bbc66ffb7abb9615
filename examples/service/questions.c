/* SPDX-License-Identifier: Apache-2.0 */
/* Endpoints, their parameters, and how these are read: see questions.h. */
#include "questions.h"

#include "../common/options.h"

#include <microhttpd.h>
#include <string.h>

enum { USER = 1 << 0, ITEM = 1 << 1, K = 1 << 2, EXCLUDE_SEEN = 1 << 3, PART = 1 << 4, ROLE = 1 << 5, ITEMS = 1 << 6 };

enum { DEFAULT_K = 10 };

static const struct {
    const char *name;
    unsigned needed, known; /* parameters */
} endpoints[N_ENDPOINTS] = {
    [ENDPOINT_RECOMMEND] = {"recommend", USER, USER | K | EXCLUDE_SEEN},
    [ENDPOINT_SIMILAR] = {"similar", ITEM | PART, ITEM | PART | K | ROLE},
    [ENDPOINT_EXPLAIN] = {"explain", USER | ITEM, USER | ITEM | K},
    [ENDPOINT_FOLD_IN] = {"fold-in", ITEMS, ITEMS | K},
    [ENDPOINT_HEALTH] = {"health", 0, 0},
    [ENDPOINT_METRICS] = {"metrics", 0, 0},
    [ENDPOINT_NONE] = {"other", 0, 0},
};

static const struct {
    const char *name;
    unsigned bit;
} parameters[] = {
    {"user", USER}, {"item", ITEM}, {"k", K},         {"exclude_seen", EXCLUDE_SEEN},
    {"part", PART}, {"role", ROLE}, {"items", ITEMS},
};

#define N_PARAMETERS (sizeof parameters / sizeof parameters[0])

/* ---- endpoints ---- */

endpoint endpoint_of(const char *path)
{
    for (int e = 0; e < ENDPOINT_NONE; e++) {
        if (path[0] == '/' && strcmp(path + 1, endpoints[e].name) == 0) {
            return (endpoint)e;
        }
    }
    return ENDPOINT_NONE;
}

const char *endpoint_name(endpoint e)
{
    return endpoints[e].name;
}

bool endpoint_takes_body(endpoint e)
{
    return e == ENDPOINT_FOLD_IN;
}

/* ---- values ---- */

static int take_integer(const char *name, const char *value, int32_t low, int32_t high, int32_t *taken, complaint *problem)
{
    int64_t number;
    if (!integer_from_text(value, low, high, &number)) {
        return complain(problem, "%s \"%.40s\": an integer from %d to %d wanted", name, value, (int)low, (int)high);
    }
    *taken = (int32_t)number;
    return 0;
}

static int take_part(question *q, const char *value, complaint *problem)
{
    static const char *const names[] = {
        [CFD_PART_BASE] = "base",
        [CFD_PART_COMMON] = "common",
        [CFD_PART_DIFFERENTIAL] = "differential",
        [CFD_PART_FUSED] = "fused",
    };
    for (size_t p = 0; p < sizeof names / sizeof names[0]; p++) {
        if (strcmp(value, names[p]) == 0) {
            q->part = (cfd_part)p;
            return 0;
        }
    }
    return complain(problem, "part \"%.40s\": base, common, differential or fused wanted", value);
}

static int take_role(question *q, const char *value, complaint *problem)
{
    size_t n = strlen(value);
    if (n == 0 || n >= sizeof q->role) {
        return complain(problem, "role: a name of 1 to %d bytes wanted", ROLE_BYTES - 1);
    }
    memcpy(q->role, value, n + 1);
    return 0;
}

/* "1,2,3" */
static int take_items(question *q, const char *value, complaint *problem)
{
    const char *at = value;
    q->n_items = 0;
    for (;;) {
        char text[24];
        size_t n = strcspn(at, ",");
        if (q->n_items == MAX_LIST) {
            return complain(problem, "items: at most %d wanted", MAX_LIST);
        }
        if (n >= sizeof text) {
            return complain(problem, "items: a number of %zu characters is none", n);
        }
        memcpy(text, at, n);
        text[n] = '\0';
        if (take_integer("items", text, 0, INT32_MAX, &q->items[q->n_items], problem) != 0) {
            return -1;
        }
        q->n_items++;
        if (at[n] == '\0') {
            return 0;
        }
        at += n + 1;
    }
}

static int take(question *q, unsigned parameter, const char *value, complaint *problem)
{
    switch (parameter) {
    case USER: return take_integer("user", value, 0, INT32_MAX, &q->user, problem);
    case ITEM: return take_integer("item", value, 0, INT32_MAX, &q->item, problem);
    case K: return take_integer("k", value, 1, MAX_K, &q->k, problem);
    case EXCLUDE_SEEN: return take_integer("exclude_seen", value, 0, 1, &q->exclude_seen, problem);
    case PART: return take_part(q, value, problem);
    case ROLE: return take_role(q, value, problem);
    default: return take_items(q, value, problem);
    }
}

/* ---- questions ---- */

void question_begin(question *q, endpoint asked)
{
    q->asked = asked;
    q->given = 0;
    q->k = DEFAULT_K;
    q->exclude_seen = 0;
    q->role[0] = '\0';
    q->n_items = 0;
}

int question_set(question *q, const char *name, const char *value, complaint *problem)
{
    for (size_t p = 0; p < N_PARAMETERS; p++) {
        unsigned bit = parameters[p].bit;
        if ((endpoints[q->asked].known & bit) == 0 || strcmp(name, parameters[p].name) != 0) {
            continue;
        }
        if (q->given & bit) {
            return complain(problem, "%s is given twice", parameters[p].name);
        }
        if (value == NULL) {
            return complain(problem, "%s has no value", parameters[p].name);
        }
        q->given |= bit;
        return take(q, bit, value, problem);
    }
    return complain(problem, "/%s has no parameter \"%.40s\"", endpoints[q->asked].name, name);
}

int question_set_form(question *q, char *form, complaint *problem)
{
    while (*form != '\0') {
        size_t n = strcspn(form, "&");
        char *next = form + n + (form[n] == '&');
        form[n] = '\0';
        char *value = strchr(form, '=');
        if (value != NULL) {
            *value++ = '\0';
            (void)unescape(value);
        }
        (void)unescape(form);
        if (question_set(q, form, value, problem) != 0) {
            return -1;
        }
        form = next;
    }
    return 0;
}

int question_check(const question *q, complaint *problem)
{
    for (size_t p = 0; p < N_PARAMETERS; p++) {
        if (endpoints[q->asked].needed & parameters[p].bit & ~q->given) {
            return complain(problem, "%s is missing", parameters[p].name);
        }
    }
    return 0;
}

size_t unescape(char *text)
{
    return strstr(text, "%00") != NULL ? strlen(text) : MHD_http_unescape(text);
}
