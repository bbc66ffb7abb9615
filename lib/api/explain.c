/* SPDX-License-Identifier: Apache-2.0 */
/* Explanations: checks of arguments, and the largest contributions. (A handle is `handle` here, since `scorer` is its core's
 * type.) */
#include "api/handles.h"
#include "base/ids.h"
#include "serve/explain.h"
#include "serve/top_k.h"

static cfd_status check_id(const char *name, int32_t id, int32_t n)
{
    return id >= 0 && id < n ? CFD_OK : fail(CFD_ERROR_ARGUMENT, "%s is %d, not from 0 to %d", name, (int)id, (int)n - 1);
}

/* The caller's list, or the scorer's. */
static cfd_status find_history(const snapshot *s, int32_t user, const int32_t **history, size_t *n)
{
    TRY(snapshot_require_nodes(s));
    if (*history) {
        return ids_check("history", *history, *n, s->items);
    }
    if (!s->history.offsets) {
        return fail(CFD_ERROR_DATA, "history is NULL, and the scorer does not know who has what: its model was made with "
                                    "keep.history = no");
    }
    *history = s->history.items + s->history.offsets[user];
    *n = (size_t)(s->history.offsets[user + 1] - s->history.offsets[user]);
    return CFD_OK;
}

static cfd_status contribute(const snapshot *s, int32_t user, int32_t item, const int32_t *history, size_t n, size_t k,
                             int32_t *contributors, float *contributions)
{
    size_t kept = k < n ? k : n;
    float *all = NULL;
    uint64_t *heap = NULL;
    cfd_status status;
    TRY_OR(done, memory_allocate(s->memory, n, sizeof *all, "an explanation", &all));
    TRY_OR(done, memory_allocate(s->memory, kept, sizeof *heap, "an explanation", &heap));
    explain_items(s, user, item, history, n, all);
    top_k best;
    top_k_start(&best, heap, kept);
    top_k_offer_listed(&best, all, n, history);
    size_t found = top_k_finish(&best, contributors, contributions);
    for (size_t i = found; i < k; i++) {
        contributors[i] = -1;
        contributions[i] = 0.0f;
    }
done:
    memory_release(s->memory, heap);
    memory_release(s->memory, all);
    return status;
}

cfd_status cfd_explain(const cfd_scorer *handle, int32_t user, int32_t item, cfd_explanation *explanation,
                       const int32_t *history, size_t n_history, size_t k, int32_t *contributors, float *contributions)
{
    TRY(require(handle, "scorer"));
    const snapshot *s = &handle->data;
    TRY(check_id("user", user, s->users));
    TRY(check_id("item", item, s->items));
    if (explanation) {
        TRY(options_check_size(explanation, "explanation"));
    }
    if (k > 0) {
        REQUIRE(contributors);
        REQUIRE(contributions);
        TRY(find_history(s, user, &history, &n_history));
        TRY(contribute(s, user, item, history, n_history, k, contributors, contributions));
    }
    if (!explanation) {
        return CFD_OK;
    }
    cfd_explanation filled = CFD_EXPLANATION_INIT;
    explain_parts(s, user, item, &filled);
    return options_write(explanation, &filled, sizeof filled, "explanation");
}
