/* SPDX-License-Identifier: Apache-2.0 */
/* Answers to questions: see answers.h. Every answer is complete in the caller's memory before the first byte is written. */
#include "answers.h"

#include "../cfdtbd/json.h"

#include <stdlib.h>

static json begin(FILE *out)
{
    json j = json_begin(out, false);
    json_open(&j, NULL, '{');
    return j;
}

static void end(json *j)
{
    json_close(j, '}');
    json_end(j);
}

/* "items": [{"item": 5, "score": 1.25}, ...] */
static void write_list(json *j, const int32_t *items, const float *scores, int32_t n)
{
    json_open(j, "items", '[');
    for (int32_t i = 0; i < n; i++) {
        json_open(j, NULL, '{');
        json_signed(j, "item", items[i]);
        json_float(j, "score", scores[i]);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static cfd_status answer_recommend(const question *q, const cfd_scorer *scorer, FILE *out)
{
    int32_t items[MAX_K], n;
    float scores[MAX_K];
    cfd_filter filter = CFD_FILTER_INIT;
    filter.exclude_seen = q->exclude_seen;
    cfd_status status = cfd_recommend(scorer, &q->user, 1, (size_t)q->k, &filter, items, scores, &n);
    if (status == CFD_OK) {
        json j = begin(out);
        json_signed(&j, "user", q->user);
        write_list(&j, items, scores, n);
        end(&j);
    }
    return status;
}

static cfd_status answer_similar(const question *q, const cfd_scorer *scorer, FILE *out)
{
    int32_t items[MAX_K], n;
    float scores[MAX_K];
    const char *role = q->role[0] != '\0' ? q->role : NULL;
    cfd_status status = cfd_similar_items(scorer, &q->item, 1, q->part, role, (size_t)q->k, NULL, items, scores, &n);
    if (status == CFD_OK) {
        json j = begin(out);
        json_signed(&j, "item", q->item);
        write_list(&j, items, scores, n);
        end(&j);
    }
    return status;
}

static void write_parts(json *j, const char *name, const cfd_scorer *scorer, const double *parts)
{
    json_open(j, name, '{');
    const char *role;
    for (size_t m = 0; (role = cfd_scorer_role(scorer, m)) != NULL; m++) {
        json_number(j, role, parts[m]);
    }
    json_close(j, '}');
}

static cfd_status answer_explain(const question *q, const cfd_scorer *scorer, FILE *out)
{
    int32_t items[MAX_K];
    float contributions[MAX_K];
    cfd_explanation explanation = CFD_EXPLANATION_INIT;
    cfd_status status = cfd_explain(scorer, q->user, q->item, &explanation, NULL, 0, (size_t)q->k, items, contributions);
    if (status != CFD_OK) {
        return status;
    }
    json j = begin(out);
    json_signed(&j, "user", q->user);
    json_signed(&j, "item", q->item);
    json_number(&j, "score", explanation.score);
    json_number(&j, "base", explanation.base);
    json_number(&j, "fused", explanation.fused);
    write_parts(&j, "common", scorer, explanation.common);
    write_parts(&j, "differential", scorer, explanation.differential);
    json_open(&j, "because_of", '[');
    for (int32_t i = 0; i < q->k && items[i] >= 0; i++) {
        json_open(&j, NULL, '{');
        json_signed(&j, "item", items[i]);
        json_float(&j, "contribution", contributions[i]);
        json_close(&j, '}');
    }
    json_close(&j, ']');
    end(&j);
    return CFD_OK;
}

/* A list for a user who is not in the model, without the items that the user named. */
static cfd_status answer_fold_in(const question *q, const cfd_scorer *scorer, FILE *out)
{
    int32_t items[MAX_K], n;
    float scores[MAX_K];
    cfd_scorer_info info = CFD_SCORER_INFO_INIT;
    cfd_filter filter = CFD_FILTER_INIT;
    filter.deny_items = q->items;
    filter.n_deny_items = q->n_items;
    cfd_status status = cfd_scorer_get_info(scorer, &info);
    if (status != CFD_OK) {
        return status;
    }
    float *query = malloc((size_t)info.width * sizeof *query);
    if (query == NULL) {
        return CFD_ERROR_MEMORY;
    }
    status = cfd_fold_in_user(scorer, q->items, q->n_items, query);
    if (status == CFD_OK) {
        status = cfd_recommend_queries(scorer, query, 1, (size_t)q->k, &filter, items, scores, &n);
    }
    free(query);
    if (status == CFD_OK) {
        json j = begin(out);
        write_list(&j, items, scores, n);
        end(&j);
    }
    return status;
}

static cfd_status answer_health(const question *q, const cfd_scorer *scorer, FILE *out)
{
    cfd_scorer_info info = CFD_SCORER_INFO_INIT;
    cfd_status status = cfd_scorer_get_info(scorer, &info);
    if (status != CFD_OK) {
        return status;
    }
    json j = begin(out);
    json_text(&j, "status", "ok");
    json_signed(&j, "users", info.n_users);
    json_signed(&j, "items", info.n_items);
    json_signed(&j, "steps", info.steps_done);
    json_open(&j, "roles", '[');
    const char *role;
    for (size_t m = 0; (role = cfd_scorer_role(scorer, m)) != NULL; m++) {
        json_text(&j, NULL, role);
    }
    json_close(&j, ']');
    end(&j);
    return CFD_OK;
}

cfd_status answer(const question *q, const cfd_scorer *scorer, FILE *out)
{
    switch (q->asked) {
    case ENDPOINT_RECOMMEND: return answer_recommend(q, scorer, out);
    case ENDPOINT_SIMILAR: return answer_similar(q, scorer, out);
    case ENDPOINT_EXPLAIN: return answer_explain(q, scorer, out);
    case ENDPOINT_FOLD_IN: return answer_fold_in(q, scorer, out);
    default: return answer_health(q, scorer, out);
    }
}

void answer_error(const char *message, FILE *out)
{
    json j = begin(out);
    json_text(&j, "error", message);
    end(&j);
}
