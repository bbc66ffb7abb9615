/* SPDX-License-Identifier: Apache-2.0 */
/* Users and items that were not there in training: checks of arguments. (A handle is `handle` here, since `scorer` is its
 * core's type.) */
#include "api/handles.h"
#include "api/scorer_new.h"
#include "base/ids.h"
#include "serve/extend.h"
#include "serve/fold.h"
#include "serve/ids.h"

#include <stdio.h>
#include <string.h>

cfd_status cfd_fold_in_user(const cfd_scorer *handle, const int32_t *items, size_t n, float *query)
{
    TRY(require(handle, "scorer"));
    REQUIRE(query);
    if (n > 0) {
        REQUIRE(items);
    }
    const snapshot *s = &handle->data;
    TRY(snapshot_require_nodes(s));
    TRY(ids_check("items", items, n, s->items));
    int32_t *sorted;
    TRY(memory_allocate(s->memory, n, sizeof *sorted, "a new user's items", &sorted));
    if (n > 0) {
        memcpy(sorted, items, n * sizeof *sorted);
    }
    cfd_status status = fold_user(s, sorted, ids_sort_once(sorted, n), query);
    memory_release(s->memory, sorted);
    return status;
}

/* ---- items ---- */

/* What a call holds while it works. */
typedef struct folding {
    encoder_input inputs[CFD_MAX_MODALITIES];
    int64_t *offsets;
    int32_t *users;
    new_items items;
} folding;

static cfd_status read_features(const snapshot *s, const cfd_new_items *asked, folding *f)
{
    if (asked->n_features > CFD_MAX_MODALITIES) {
        return fail(CFD_ERROR_ARGUMENT, "items.n_features is %zu: at most %d", asked->n_features, CFD_MAX_MODALITIES);
    }
    if (asked->n_features > 0) {
        TRY(require(asked->features, "items.features"));
    }
    const char *at = (const char *)asked->features; /* structs of the caller's version, one after the other */
    for (size_t i = 0; i < asked->n_features; i++) {
        char where[48];
        size_t stride;
        cfd_item_features one = CFD_ITEM_FEATURES_INIT;
        snprintf(where, sizeof where, "items.features[%zu]", i);
        TRY(options_read(at, &one, sizeof one, where));
        memcpy(&stride, at, sizeof stride);
        at += stride;
        TRY(encoder_check(s, &one, asked->n_items, where, &f->inputs[i]));
        for (size_t k = 0; k < i; k++) {
            if (f->inputs[k].role == f->inputs[i].role) {
                return fail(CFD_ERROR_ARGUMENT, "%s: role %s stands there twice", where, one.role);
            }
        }
    }
    f->items.inputs = f->inputs;
    f->items.n_inputs = asked->n_features;
    return CFD_OK;
}

static cfd_status read_users(const snapshot *s, const cfd_new_items *asked, folding *f)
{
    const int64_t *offsets = asked->user_offsets;
    if (!offsets) {
        return CFD_OK;
    }
    for (size_t i = 0; i < asked->n_items; i++) {
        if (offsets[0] != 0 || offsets[i + 1] < offsets[i]) {
            return fail(CFD_ERROR_ARGUMENT, "items.user_offsets does not ascend from 0 at item %zu", i);
        }
    }
    size_t n = (size_t)offsets[asked->n_items];
    if (n > 0) {
        TRY(require(asked->users, "items.users"));
    }
    TRY(ids_check("items.users", asked->users, n, s->users));
    TRY(memory_allocate(s->memory, asked->n_items + 1, sizeof *f->offsets, "the users of new items", &f->offsets));
    TRY(memory_allocate(s->memory, n, sizeof *f->users, "the users of new items", &f->users));
    size_t end = 0;
    f->offsets[0] = 0;
    for (size_t i = 0; i < asked->n_items; i++) {
        size_t length = (size_t)(offsets[i + 1] - offsets[i]);
        if (length > 0) {
            memcpy(f->users + end, asked->users + offsets[i], length * sizeof *f->users);
            end += ids_sort_once(f->users + end, length);
        }
        f->offsets[i + 1] = (int64_t)end;
    }
    f->items.offsets = f->offsets;
    f->items.users = f->users;
    return CFD_OK;
}

/* Fills what is asked for, once everything that can fail has been done. */
static cfd_status fold_items(const cfd_scorer *handle, const new_items *items, float *keys, cfd_scorer **with)
{
    const snapshot *s = &handle->data;
    if (!with) {
        return extend_keys(s, items, keys);
    }
    snapshot grown;
    TRY(extend_snapshot(s, s->memory, items, &grown));
    const float *made = grown.keys + (size_t)s->items * (size_t)s->width;
    TRY(scorer_handle_create(handle->context, &grown, with));
    if (keys) {
        memcpy(keys, made, items->n * (size_t)s->width * sizeof *keys);
    }
    return CFD_OK;
}

cfd_status cfd_fold_in_items(const cfd_scorer *handle, const cfd_new_items *items, float *keys, cfd_scorer **scorer_with)
{
    TRY(require(handle, "scorer"));
    REQUIRE(items);
    cfd_new_items asked = CFD_NEW_ITEMS_INIT;
    TRY(options_read(items, &asked, sizeof asked, "items"));
    if (!keys && !scorer_with) {
        return fail(CFD_ERROR_ARGUMENT, "keys and scorer_with are both NULL: nothing is asked for");
    }
    const snapshot *s = &handle->data;
    if (asked.n_items < 1 || asked.n_items >= INT32_MAX) {
        return fail(CFD_ERROR_ARGUMENT, "items.n_items is %zu, not from 1 to %d", asked.n_items, INT32_MAX - 1);
    }
    TRY(snapshot_require_nodes(s));
    TRY(scorer_check_extent("items.n_items", asked.n_items, "width", (size_t)s->width));
    folding f = {.items.n = asked.n_items};
    cfd_status status;
    TRY_OR(done, read_features(s, &asked, &f));
    TRY_OR(done, read_users(s, &asked, &f));
    TRY_OR(done, fold_items(handle, &f.items, keys, scorer_with));
done:
    memory_release(s->memory, f.offsets);
    memory_release(s->memory, f.users);
    return status;
}
