/* SPDX-License-Identifier: Apache-2.0 */
/* Scores and lists: checks of arguments. The work is done in serve/. (A handle is `handle` here, since `scorer` is its
 * core's type.) */
#include "api/handles.h"
#include "api/scorer_new.h"
#include "base/ids.h"

#include <math.h>

cfd_status scorer_check_extent(const char *rows_name, size_t rows, const char *name, size_t columns)
{
    size_t numbers;
    size_t bytes;
    if (!checked_multiply(rows, columns, &numbers) || !checked_multiply(numbers, sizeof(float), &bytes) ||
        bytes > PTRDIFF_MAX) {
        return fail(CFD_ERROR_ARGUMENT, "%s %zu times %s %zu: no memory is so large", rows_name, rows, name, columns);
    }
    return CFD_OK;
}

/* Rows that are to stand in the place of query rows. */
static cfd_status check_queries(const cfd_scorer *handle, const float *queries, size_t n)
{
    size_t width = (size_t)handle->core.width;
    REQUIRE(queries);
    TRY(scorer_check_extent("n", n, "width", width));
    for (size_t i = 0; i < n * width; i++) {
        if (!isfinite(queries[i])) {
            return fail(CFD_ERROR_DATA, "queries: the number at row %zu, column %zu is not finite", i / width, i % width);
        }
    }
    return CFD_OK;
}

cfd_status cfd_score_users(const cfd_scorer *handle, const int32_t *users, size_t n_users, const int32_t *items,
                           size_t n_items, float *scores)
{
    TRY(require(handle, "scorer"));
    n_items = items ? n_items : (size_t)handle->core.items;
    if (n_users == 0 || n_items == 0) {
        return CFD_OK;
    }
    REQUIRE(users);
    REQUIRE(scores);
    TRY(scorer_check_extent("n_users", n_users, "n_items", n_items));
    TRY(ids_check("users", users, n_users, handle->core.users));
    if (items) {
        TRY(ids_check("items", items, n_items, handle->core.items));
    }
    return scorer_scores(&handle->core, users, n_users, items, n_items, scores);
}

cfd_status cfd_score_pairs(const cfd_scorer *handle, const int32_t *users, const int32_t *items, size_t n, float *scores)
{
    TRY(require(handle, "scorer"));
    if (n == 0) {
        return CFD_OK;
    }
    REQUIRE(users);
    REQUIRE(items);
    REQUIRE(scores);
    TRY(ids_check("users", users, n, handle->core.users));
    TRY(ids_check("items", items, n, handle->core.items));
    return scorer_pairs(&handle->core, users, items, n, scores);
}

static cfd_status check_exclusions(const cfd_filter *filter, size_t n_users, int32_t n_items)
{
    const int64_t *offsets = filter->exclude_offsets;
    if (offsets[0] != 0) {
        return fail(CFD_ERROR_ARGUMENT, "filter.exclude_offsets[0] is %lld, not 0", (long long)offsets[0]);
    }
    for (size_t i = 0; i < n_users; i++) {
        if (offsets[i + 1] < offsets[i]) {
            return fail(CFD_ERROR_ARGUMENT, "filter.exclude_offsets[%zu] is %lld, less than the %lld before it", i + 1,
                        (long long)offsets[i + 1], (long long)offsets[i]);
        }
    }
    if (offsets[n_users] == 0) {
        return CFD_OK;
    }
    TRY(require(filter->exclude_items, "filter.exclude_items"));
    return ids_check("filter.exclude_items", filter->exclude_items, (size_t)offsets[n_users], n_items);
}

cfd_status scorer_read_filter(const cfd_scorer *handle, const cfd_filter *filter, size_t n, bool with_users, cfd_filter *out)
{
    int32_t n_items = handle->core.items;
    cfd_filter chosen = CFD_FILTER_INIT;
    TRY(options_read(filter, &chosen, sizeof chosen, "filter"));
    if (chosen.exclude_seen && !with_users) {
        return fail(CFD_ERROR_ARGUMENT, "filter.exclude_seen: these lists are for no users that the scorer knows");
    }
    if (chosen.exclude_seen && !handle->core.seen.offsets) {
        return fail(CFD_ERROR_DATA, "filter.exclude_seen: the scorer does not know who has what: its model was made with "
                                    "keep.history = no");
    }
    if (chosen.has_min_score && isnan(chosen.min_score)) {
        return fail(CFD_ERROR_ARGUMENT, "filter.min_score is not a number");
    }
    if (n > 0 && chosen.exclude_offsets) {
        TRY(check_exclusions(&chosen, n, n_items));
    }
    if (chosen.allow_items) {
        TRY(ids_check("filter.allow_items", chosen.allow_items, chosen.n_allow_items, n_items));
    }
    if (chosen.deny_items) {
        TRY(ids_check("filter.deny_items", chosen.deny_items, chosen.n_deny_items, n_items));
    }
    *out = chosen;
    return CFD_OK;
}

static cfd_status check_k(size_t k)
{
    return k > 0 ? CFD_OK : fail(CFD_ERROR_ARGUMENT, "k is 0: at least 1 wanted");
}

cfd_status cfd_recommend(const cfd_scorer *handle, const int32_t *users, size_t n_users, size_t k, const cfd_filter *filter,
                         int32_t *items, float *scores, int32_t *counts)
{
    TRY(require(handle, "scorer"));
    TRY(check_k(k));
    cfd_filter chosen;
    TRY(scorer_read_filter(handle, filter, n_users, true, &chosen));
    if (n_users == 0) {
        return CFD_OK;
    }
    REQUIRE(users);
    REQUIRE(items);
    TRY(scorer_check_extent("n_users", n_users, "k", k));
    TRY(ids_check("users", users, n_users, handle->core.users));
    return scorer_recommend(&handle->core, users, n_users, k, &chosen, items, scores, counts);
}

/* ---- query rows in place of users ---- */

cfd_status cfd_score_queries(const cfd_scorer *handle, const float *queries, size_t n, const int32_t *items, size_t n_items,
                             float *scores)
{
    TRY(require(handle, "scorer"));
    n_items = items ? n_items : (size_t)handle->core.items;
    if (n == 0 || n_items == 0) {
        return CFD_OK;
    }
    REQUIRE(scores);
    TRY(scorer_check_extent("n", n, "n_items", n_items));
    TRY(check_queries(handle, queries, n));
    if (items) {
        TRY(ids_check("items", items, n_items, handle->core.items));
    }
    return scorer_row_scores(&handle->core, queries, n, items, n_items, scores);
}

cfd_status cfd_recommend_queries(const cfd_scorer *handle, const float *queries, size_t n, size_t k,
                                 const cfd_filter *filter, int32_t *items, float *scores, int32_t *counts)
{
    TRY(require(handle, "scorer"));
    TRY(check_k(k));
    cfd_filter chosen;
    TRY(scorer_read_filter(handle, filter, n, false, &chosen));
    if (n == 0) {
        return CFD_OK;
    }
    REQUIRE(items);
    TRY(scorer_check_extent("n", n, "k", k));
    TRY(check_queries(handle, queries, n));
    return scorer_row_recommend(&handle->core, queries, n, k, &chosen, items, scores, counts);
}
