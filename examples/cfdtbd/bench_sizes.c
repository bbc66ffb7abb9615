/* SPDX-License-Identifier: Apache-2.0 */
/* Synthetic data: its sizes, from the command line. */
#include "bench_synthetic.h"

#include "program.h"

#include <stdio.h>
#include <string.h>

/* The next of a list: "A," or "A:B," at *at. */
static bool next_size(const char **at, bool pair, int32_t *first, int32_t *second)
{
    char text[32];
    size_t length = strcspn(*at, ",");
    if (length >= sizeof text) {
        return false;
    }
    memcpy(text, *at, length);
    text[length] = '\0';
    *at += length;
    int64_t a, b = 0;
    char *colon = strchr(text, ':');
    if (pair != (colon != NULL)) {
        return false;
    }
    if (colon) {
        *colon = '\0';
    }
    if (!integer_from_text(text, 1, 10000000, &a) || (pair && !integer_from_text(colon + 1, 1, a, &b))) {
        return false;
    }
    *first = (int32_t)a;
    *second = (int32_t)b;
    return true;
}

static int add_sizes(const char *command, const char *name, const char *text, bool sparse, synthetic *s)
{
    for (const char *at = text; at;) {
        if (s->n == CFD_MAX_MODALITIES) {
            return usage_error("%s: more than %d modalities", command, CFD_MAX_MODALITIES);
        }
        synthetic_modality *m = &s->modalities[s->n];
        if (!next_size(&at, sparse, &m->columns, &m->per_item)) {
            return usage_error(sparse
                                   ? "%s: --%s \"%s\": COLUMNS:NONZEROS,... wanted, columns from 1 to 10000000 and no more "
                                     "nonzeros of an item"
                                   : "%s: --%s \"%s\": columns,... wanted, each from 1 to 10000000",
                               command, name, text);
        }
        snprintf(m->role, sizeof m->role, s->n == 0 ? "visual" : s->n == 1 ? "textual" : "m%zu", s->n + 1);
        s->n++;
        at = *at == ',' ? at + 1 : NULL;
    }
    return -1;
}

int synthetic_modalities(const char *command, const char *dense, const char *sparse, synthetic *s)
{
    int code = add_sizes(command, "dense", dense, false, s);
    return code < 0 ? add_sizes(command, "sparse", sparse, true, s) : code;
}

int synthetic_check(const char *command, const synthetic *s)
{
    if (s->interactions < s->users) {
        return usage_error("%s: --interactions %d: at least one for each of the %d users wanted", command,
                           (int)s->interactions, (int)s->users);
    }
    if (s->interactions > (int64_t)s->users * s->items) {
        return usage_error("%s: --interactions %d: %d users and %d items have no more than %lld", command,
                           (int)s->interactions, (int)s->users, (int)s->items, (long long)s->users * s->items);
    }
    return -1;
}
