/* SPDX-License-Identifier: Apache-2.0 */
/* Ranking metrics: cut-offs from text, the table, JSON. */
#include "metrics.h"

#include <stdio.h>
#include <string.h>

int cutoffs_parse(const char *command, const char *text, cutoffs *out)
{
    cutoffs found = {.n = 0};
    for (const char *at = text ? text : "5,10,20";; at++) {
        char word[8];
        int64_t k;
        size_t length = strcspn(at, ",");
        snprintf(word, sizeof word, "%.*s", (int)(length < sizeof word ? length : sizeof word - 1), at);
        if (length >= sizeof word || !integer_from_text(word, 1, MAX_CUTOFF, &k)) {
            return usage_error("%s: --k \"%.200s\": cut-offs from 1 to %d wanted, separated by commas", command, text,
                               MAX_CUTOFF);
        }
        for (size_t i = 0; i < found.n; i++) {
            if (found.ks[i] == k) {
                return usage_error("%s: --k \"%.200s\": %d is given twice", command, text, (int)k);
            }
        }
        found.ks[found.n++] = (int32_t)k; /* distinct: there is room for all that are allowed */
        at += length;
        if (*at == '\0') {
            *out = found;
            return -1;
        }
    }
}

/* ---- one list of metrics for table and JSON ---- */

#define N_METRICS 6

static const char *const metric_names[N_METRICS] = {"hr", "recall", "ndcg", "precision", "map", "mrr"};

static double metric_value(const cfd_metrics *m, size_t which)
{
    const double values[N_METRICS] = {m->hr, m->recall, m->ndcg, m->precision, m->map, m->mrr};
    return values[which];
}

static const char *metric_key(const cfd_metrics *m, size_t which, char key[32])
{
    snprintf(key, 32, "%s@%d", metric_names[which], (int)m->k);
    return key;
}

void metrics_json(json *j, const cfd_metrics *metrics, size_t n)
{
    char key[32];
    for (size_t i = 0; i < n; i++) {
        for (size_t which = 0; which < N_METRICS; which++) {
            json_number(j, metric_key(&metrics[i], which, key), metric_value(&metrics[i], which));
        }
    }
}

void metrics_table(const char *const *titles, const cfd_metrics *const *rankings, size_t n_rankings, size_t n)
{
    char key[32];
    printf("%-14s", "");
    for (size_t r = 0; r < n_rankings; r++) {
        printf("  %10s", titles[r]);
    }
    printf("\n");
    for (size_t i = 0; i < n; i++) {
        for (size_t which = 0; which < N_METRICS; which++) {
            printf("%-14s", metric_key(&rankings[0][i], which, key));
            for (size_t r = 0; r < n_rankings; r++) {
                printf("  %10.4f", metric_value(&rankings[r][i], which));
            }
            printf("\n");
        }
    }
}

cfd_protocol protocol_from_name(const char *name)
{
    return strcmp(name, "sampled") == 0 ? CFD_PROTOCOL_SAMPLED : CFD_PROTOCOL_FULL;
}

void evaluation_title(const char *split, const char *protocol, int32_t negatives, size_t n_users)
{
    if (protocol_from_name(protocol) == CFD_PROTOCOL_SAMPLED) {
        printf("%s set, ranked against %d sampled items, %zu users\n", split, (int)negatives, n_users);
    } else {
        printf("%s set, full ranking, %zu users\n", split, n_users);
    }
}
