/* SPDX-License-Identifier: Apache-2.0 */
/* Lists in the making: see selection.h. */
#include "serve/selection.h"

/* The runs between the excluded ones. */
void selection_offer(selection *one, const float *scores, int32_t first, int32_t n)
{
    int32_t from = first;
    int32_t end = first + n;
    ops_ids *holes = &one->excluded;
    while (holes->begin != holes->end && *holes->begin < end) {
        int32_t hole = *holes->begin++;
        if (hole >= from) { /* else a repeat */
            top_k_offer(&one->best, scores + (from - first), (size_t)(hole - from), from);
            from = hole + 1;
        }
    }
    top_k_offer(&one->best, scores + (from - first), (size_t)(end - from), from);
}

void selection_offer_listed(selection *one, const float *scores, const int32_t *items, size_t n)
{
    size_t from = 0;
    ops_ids *holes = &one->excluded;
    for (size_t i = 0; i < n && holes->begin != holes->end; i++) {
        while (holes->begin != holes->end && *holes->begin < items[i]) {
            holes->begin++;
        }
        if (holes->begin != holes->end && *holes->begin == items[i]) {
            top_k_offer_listed(&one->best, scores + from, i - from, items + from);
            from = i + 1;
        }
    }
    top_k_offer_listed(&one->best, scores + from, n - from, items + from);
}

size_t selection_finish(selection *one, const list_filter *filter, size_t k, int32_t *items, float *scores)
{
    if (filter_has_least(filter)) {
        top_k_drop_below(&one->best, filter->asked->min_score);
    }
    size_t found = top_k_finish(&one->best, items, scores);
    for (size_t i = found; i < k; i++) {
        items[i] = -1;
        if (scores) {
            scores[i] = -INFINITY;
        }
    }
    return found;
}
