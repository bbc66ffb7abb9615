/* SPDX-License-Identifier: Apache-2.0 */
/* New items: see extend.h. Each is encoded, then folded in among the users that have it; none sees another new one. */
#include "serve/extend.h"

#include "serve/fold.h"

#include <math.h>
#include <string.h>

/* Where the rows of one item go; members may be NULL. */
typedef struct item_rows {
    float *key;    /* width */
    float *layers; /* L x d */
    float *heads;  /* head_columns */
} item_rows;

typedef struct extension {
    const snapshot *s;
    const new_items *items;
    score_layout layout;
    float *encoding; /* scratch of the encoders */
    float *heads;    /* head_columns */
    double *folding;
    unsigned char *block;
} extension;

static cfd_status extension_init(extension *x, const snapshot *s, const new_items *items)
{
    *x = (extension){.s = s, .items = items, .layout = snapshot_layout(s)};
    size_t encoding = 0;
    for (size_t i = 0; i < items->n_inputs; i++) {
        size_t room = encoder_room(&s->encoders[items->inputs[i].role]);
        encoding = room > encoding ? room : encoding;
    }
    size_t heads = (size_t)x->layout.head_columns;
    size_t folding = fold_room(s) * sizeof(double);
    TRY(memory_allocate(s->memory, folding + (encoding + heads) * sizeof(float), 1, "new items", &x->block));
    x->folding = (double *)(void *)x->block;
    x->heads = (float *)(void *)(x->block + folding);
    x->encoding = x->heads + heads;
    return CFD_OK;
}

static cfd_status check_finite(const extension *x, size_t item, const float *key)
{
    for (int32_t c = 0; c < x->s->width; c++) {
        if (!isfinite(key[c])) {
            return fail(CFD_ERROR_NUMERIC, "the key row of new item %zu is not finite", item);
        }
    }
    return CFD_OK;
}

static cfd_status make_rows(const extension *x, size_t item, const item_rows *to)
{
    const new_items *items = x->items;
    const score_layout *l = &x->layout;
    float *heads = to->heads ? to->heads : x->heads;
    memset(heads, 0, (size_t)l->head_columns * sizeof *heads);
    for (size_t i = 0; i < items->n_inputs && l->n_kinds > 0; i++) {
        float *part = heads + (size_t)items->inputs[i].role * (size_t)(l->n_kinds * l->d);
        TRY(encoder_row(x->s, &items->inputs[i], item, x->encoding, part));
    }
    int64_t begin = items->offsets ? items->offsets[item] : 0;
    int64_t end = items->offsets ? items->offsets[item + 1] : 0;
    folded_node node = {
        .neighbours = end > begin ? items->users + begin : NULL,
        .n = (size_t)(end - begin),
        .own = heads,
        .layers = to->layers,
        .base = to->key,
        .hops = to->key + l->heads_at,
        .fused = l->has_fused ? to->key + l->fused_at : NULL,
    };
    fold_node(x->s, &node, x->folding);
    return check_finite(x, item, to->key);
}

/* missing.renormalise, in the key of an item. The heads of a modality that it lacks are zeros, and no others are. */
static void renormalise(const extension *x, const float *heads, float *key)
{
    const snapshot *s = x->s;
    int32_t columns = x->layout.n_kinds * x->layout.d;
    double lambdas[CFD_MAX_MODALITIES] = {0};
    bool has[CFD_MAX_MODALITIES] = {false};
    for (int32_t role = 0; role < s->n_roles; role++) {
        lambdas[role] = settings_role(&s->values, s->roles[role]).lambda;
        for (int32_t c = 0; c < columns; c++) {
            has[role] = has[role] || heads[role * columns + c] != 0.0f;
        }
    }
    float scale = (float)settings_missing_scale(&s->values, lambdas, has, s->n_roles);
    for (int32_t role = 0; role < s->n_roles; role++) {
        float *part = key + x->layout.heads_at + (int64_t)role * columns;
        for (int32_t c = 0; c < columns && has[role]; c++) {
            part[c] *= scale;
        }
    }
}

cfd_status extend_keys(const snapshot *s, const new_items *items, float *keys)
{
    extension x;
    TRY(extension_init(&x, s, items));
    size_t bytes = items->n * (size_t)s->width * sizeof *keys;
    float *made = NULL;
    cfd_status status;
    TRY_OR(done, memory_allocate(s->memory, bytes, 1, "the keys of new items", &made));
    for (size_t item = 0; item < items->n; item++) {
        float *key = made + item * (size_t)s->width;
        TRY_OR(done, make_rows(&x, item, &(item_rows){.key = key}));
        renormalise(&x, x.heads, key);
    }
    memcpy(keys, made, bytes);
done:
    memory_release(s->memory, made);
    memory_release(s->memory, x.block);
    return status;
}

/* ---- a whole snapshot ---- */

/* `blocks` blocks of rows, each with room for `more` rows after its own. */
static cfd_status grow(snapshot *out, const float *from, size_t blocks, size_t rows, size_t more, size_t columns,
                       const char *what, const float **to)
{
    float *grown;
    size_t block = rows * columns;
    size_t wide;
    size_t numbers;
    if (!checked_multiply(rows + more, columns, &wide) || !checked_multiply(wide, blocks, &numbers)) {
        return fail(CFD_ERROR_MEMORY, "out of memory: the size of %s overflows", what);
    }
    TRY(snapshot_array(out, numbers, sizeof *grown, what, &grown));
    for (size_t b = 0; b < blocks; b++) {
        memcpy(grown + b * wide, from + b * block, block * sizeof *grown);
    }
    *to = grown;
    return CFD_OK;
}

/* The users' lists with the new items, whose numbers are higher than all others. */
static cfd_status extend_history(const snapshot *s, const new_items *items, snapshot *out)
{
    size_t more = items->offsets ? (size_t)items->offsets[items->n] : 0;
    size_t users = (size_t)s->users;
    size_t before = (size_t)s->history.offsets[users];
    int64_t *offsets;
    int32_t *ids;
    TRY(snapshot_array(out, users + 1, sizeof *offsets, "the history", &offsets));
    TRY(snapshot_array(out, before + more, sizeof *ids, "the history", &ids));
    memset(offsets, 0, (users + 1) * sizeof *offsets);
    for (size_t k = 0; k < more; k++) {
        offsets[items->users[k] + 1]++;
    }
    for (size_t u = 0; u < users; u++) {
        offsets[u + 1] += offsets[u] + s->history.offsets[u + 1] - s->history.offsets[u];
    }
    int64_t *next; /* where a user's list ends so far */
    TRY(memory_allocate(s->memory, users, sizeof *next, "the history", &next));
    for (size_t u = 0; u < users; u++) {
        size_t n = (size_t)(s->history.offsets[u + 1] - s->history.offsets[u]);
        if (n > 0) {
            memcpy(ids + offsets[u], s->history.items + s->history.offsets[u], n * sizeof *ids);
        }
        next[u] = offsets[u] + (int64_t)n;
    }
    for (size_t item = 0; item < items->n && items->offsets; item++) {
        for (int64_t k = items->offsets[item]; k < items->offsets[item + 1]; k++) {
            ids[next[items->users[k]]++] = s->items + (int32_t)item;
        }
    }
    memory_release(s->memory, next);
    out->history = (seen_items){offsets, ids};
    return CFD_OK;
}

static cfd_status copy_encoders(const snapshot *s, snapshot *out)
{
    score_layout l = snapshot_layout(s);
    for (int32_t r = 0; r < s->n_roles; r++) {
        const content_encoder *from = &s->encoders[r];
        content_encoder *to = &out->encoders[r];
        size_t d = (size_t)l.d;
        *to = *from;
        TRY(snapshot_copy(out, from->idf, (size_t)from->features, sizeof(float), "an encoder", &to->idf));
        TRY(snapshot_copy(out, from->whitening, (size_t)l.n_kinds * d * d, sizeof(float), "an encoder", &to->whitening));
        for (int kind = 0; kind < SNAPSHOT_KINDS; kind++) {
            TRY(snapshot_copy(out, from->weights[kind], (size_t)from->columns * d, sizeof(float), "an encoder",
                              &to->weights[kind]));
        }
        for (int32_t i = 0; i < from->n_stages; i++) {
            TRY(snapshot_copy_stage(out, &from->stages[i], &to->stages[i]));
        }
    }
    return CFD_OK;
}

static cfd_status copy_grown(const snapshot *s, const new_items *items, snapshot *out)
{
    score_layout l = snapshot_layout(s);
    size_t nodes = (size_t)s->users + (size_t)s->items;
    size_t heads = (size_t)l.head_columns;
    int32_t *degrees;
    TRY(grow(out, s->keys, 1, (size_t)s->items, items->n, (size_t)s->width, "the key rows", &out->keys));
    TRY(snapshot_copy(out, s->queries, (size_t)s->users * (size_t)s->width, sizeof(float), "the query rows", &out->queries));
    if (l.has_base) {
        TRY(grow(out, s->nodes.layers, (size_t)l.layers, nodes, items->n, (size_t)l.d, "the layers", &out->nodes.layers));
    }
    if (heads > 0) {
        TRY(grow(out, s->nodes.heads, 1, nodes, items->n, heads, "the heads", &out->nodes.heads));
        TRY(grow(out, s->nodes.hops, 1, nodes, items->n, heads, "the propagated heads", &out->nodes.hops));
    }
    TRY(snapshot_array(out, nodes + items->n, sizeof *degrees, "the degrees", &degrees));
    memcpy(degrees, s->nodes.degrees, nodes * sizeof *degrees);
    for (size_t item = 0; item < items->n; item++) {
        degrees[nodes + item] = 1 + (items->offsets ? (int32_t)(items->offsets[item + 1] - items->offsets[item]) : 0);
    }
    out->nodes.degrees = degrees;
    if (s->history.offsets) {
        TRY(extend_history(s, items, out));
    }
    return copy_encoders(s, out);
}

/* Fills the rows of the new items. */
static cfd_status fill(const snapshot *s, const new_items *items, const snapshot *out)
{
    extension x;
    TRY(extension_init(&x, s, items));
    score_layout l = x.layout;
    size_t nodes = (size_t)s->users + (size_t)s->items;
    size_t d = (size_t)l.d;
    size_t layers = l.has_base ? (size_t)l.layers : 0;
    float *steps = NULL;
    cfd_status status;
    TRY_OR(done, memory_allocate(s->memory, layers * d, sizeof *steps, "the layers of a new item", &steps));
    for (size_t item = 0; item < items->n; item++) {
        size_t node = nodes + item;
        float *key = (float *)(uintptr_t)out->keys + ((size_t)s->items + item) * (size_t)s->width; /* just made here */
        float *heads = l.head_columns > 0 ? (float *)(uintptr_t)out->nodes.heads + node * (size_t)l.head_columns : NULL;
        TRY_OR(done, make_rows(&x, item, &(item_rows){key, layers > 0 ? steps : NULL, heads}));
        for (size_t step = 0; step < layers; step++) {
            memcpy((float *)(uintptr_t)out->nodes.layers + (step * (nodes + items->n) + node) * d, steps + step * d,
                   d * sizeof *steps);
        }
        if (l.head_columns > 0) {
            memcpy((float *)(uintptr_t)out->nodes.hops + node * (size_t)l.head_columns, key + l.heads_at,
                   (size_t)l.head_columns * sizeof *key);
            renormalise(&x, heads, key);
        }
    }
done:
    memory_release(s->memory, steps);
    memory_release(s->memory, x.block);
    return status;
}

cfd_status extend_snapshot(const snapshot *s, const memory_source *memory, const new_items *items, snapshot *out)
{
    if (items->n > (size_t)(INT32_MAX - 1 - s->users) - (size_t)s->items) {
        return fail(CFD_ERROR_DATA, "%zu new items: users and items together are more than %d", items->n, INT32_MAX - 1);
    }
    snapshot made = {.memory = memory,
                     .values = s->values,
                     .n_roles = s->n_roles,
                     .steps_done = s->steps_done,
                     .users = s->users,
                     .items = s->items + (int32_t)items->n,
                     .width = s->width};
    memcpy(made.roles, s->roles, sizeof made.roles);
    cfd_status status;
    TRY_OR(failed, copy_grown(s, items, &made));
    TRY_OR(failed, fill(s, items, &made));
    *out = made;
    return CFD_OK;
failed:
    snapshot_release(&made);
    return status;
}
