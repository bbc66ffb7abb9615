/* SPDX-License-Identifier: Apache-2.0 */
/* Likeness of items, and search across modalities: checks of arguments. (A handle is `handle` here, since `scorer` is its
 * core's type.) */
#include "api/handles.h"
#include "api/scorer_new.h"
#include "base/ids.h"
#include "serve/encoder.h"
#include "serve/similar.h"

#include <string.h>

/* ---- parts ---- */

static void add_range(key_part *part, int32_t begin, int32_t columns)
{
    part->ranges[part->n].begin = begin;
    part->ranges[part->n++].end = begin + columns;
}

/* Common or differential, of one role or all of them. */
static cfd_status head_part(const snapshot *s, int kind, const char *role, key_part *part)
{
    static const char *const names[SNAPSHOT_KINDS] = {"common", "differential"};
    score_layout l = snapshot_layout(s);
    int32_t only = role ? snapshot_role(s, role) : -1;
    if (role && only < 0) {
        return fail(CFD_ERROR_ARGUMENT, "the model has no role \"%.80s\"", role);
    }
    if (l.kinds[kind] < 0) {
        return fail(CFD_ERROR_ARGUMENT, "the model has no %s parts", names[kind]);
    }
    for (int32_t r = 0; r < s->n_roles; r++) {
        if (only < 0 || r == only) {
            add_range(part, layout_part(&l, r, kind), l.d);
        }
    }
    return CFD_OK;
}

static cfd_status find_part(const snapshot *s, cfd_part which, const char *role, key_part *part)
{
    score_layout l = snapshot_layout(s);
    part->n = 0;
    switch (which) {
    case CFD_PART_COMMON: return head_part(s, 0, role, part);
    case CFD_PART_DIFFERENTIAL: return head_part(s, 1, role, part);
    case CFD_PART_BASE:
        if (l.has_base) {
            add_range(part, 0, l.d);
        }
        break;
    case CFD_PART_FUSED:
        if (l.has_fused) {
            add_range(part, l.fused_at, l.head_columns);
        }
        break;
    }
    return part->n > 0 ? CFD_OK : fail(CFD_ERROR_ARGUMENT, "part %d: the model has no such part", (int)which);
}

/* ---- likeness ---- */

static cfd_status check_request(const cfd_scorer *handle, size_t n, size_t k, const cfd_filter *filter, cfd_filter *chosen)
{
    if (k == 0) {
        return fail(CFD_ERROR_ARGUMENT, "k is 0: at least 1 wanted");
    }
    TRY(scorer_check_extent("n", n, "k", k));
    return scorer_read_filter(handle, filter, n, false, chosen);
}

cfd_status cfd_similar_items(const cfd_scorer *handle, const int32_t *items, size_t n, cfd_part part, const char *role,
                             size_t k, const cfd_filter *filter, int32_t *items_out, float *scores, int32_t *counts)
{
    TRY(require(handle, "scorer"));
    const snapshot *s = &handle->data;
    cfd_filter chosen;
    key_part columns;
    TRY(check_request(handle, n, k, filter, &chosen));
    TRY(find_part(s, part, role, &columns));
    if (n == 0) {
        return CFD_OK;
    }
    REQUIRE(items);
    REQUIRE(items_out);
    TRY(ids_check("items", items, n, s->items));
    return similar_items(&handle->core, &columns, 1.0f, NULL, items, n, k, &chosen, items_out, scores, counts);
}

/* ---- search ---- */

/* Rows of zeros but for the common part of what is searched for, in the place of the other role's. */
static cfd_status encode(const snapshot *s, const encoder_input *input, size_t n, int32_t at, float *rows)
{
    score_layout l = snapshot_layout(s);
    size_t parts = (size_t)l.n_kinds * (size_t)l.d;
    size_t room_size = encoder_room(&s->encoders[input->role]);
    float *room;
    TRY(memory_allocate(s->memory, room_size + parts, sizeof *room, "a search", &room));
    float *heads = room + room_size;
    cfd_status status = CFD_OK;
    for (size_t i = 0; i < n && status == CFD_OK; i++) {
        status = encoder_row(s, input, i, room, heads);
        memcpy(rows + i * (size_t)s->width + at, heads + (int64_t)l.kinds[0] * l.d, (size_t)l.d * sizeof *rows);
    }
    memory_release(s->memory, room);
    return status;
}

cfd_status cfd_search_items(const cfd_scorer *handle, const cfd_item_features *features, size_t n, const char *other_role,
                            size_t k, const cfd_filter *filter, int32_t *items, float *scores, int32_t *counts)
{
    TRY(require(handle, "scorer"));
    REQUIRE(features);
    REQUIRE(other_role);
    const snapshot *s = &handle->data;
    cfd_item_features asked = CFD_ITEM_FEATURES_INIT;
    TRY(options_read(features, &asked, sizeof asked, "features"));
    cfd_filter chosen;
    key_part part = {0};
    TRY(check_request(handle, n, k, filter, &chosen));
    TRY(snapshot_require_nodes(s));
    TRY(head_part(s, 0, other_role, &part));
    if (n == 0) {
        return CFD_OK;
    }
    REQUIRE(items);
    TRY(scorer_check_extent("n", n, "width", (size_t)s->width));
    encoder_input input;
    TRY(encoder_check(s, &asked, n, "features", &input));
    float *rows;
    TRY(memory_allocate_zero(s->memory, n * (size_t)s->width, sizeof *rows, "a search", &rows));
    cfd_status status = encode(s, &input, n, part.ranges[0].begin, rows);
    if (status == CFD_OK) {
        float sign = s->values.common_distillation == DISTILLATION_RELEASED ? -1.0f : 1.0f;
        status = similar_items(&handle->core, &part, sign, rows, NULL, n, k, &chosen, items, scores, counts);
    }
    memory_release(s->memory, rows);
    return status;
}
